#include "cli/commands/yaml_config.hpp"

#include <fmt/format.h>
#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <cstdlib>
#include <optional>
#include <stdexcept>

namespace covey::cli {

namespace {

// The value of --config in the words, or else of COVEY_CONFIG.
std::optional<std::string> config_file(const std::vector<std::string>& words) {
  for (std::size_t i = 0; i < words.size(); ++i) {
    if (words[i] == "--config" && i + 1 < words.size()) return words[i + 1];
    if (words[i].starts_with("--config=")) return words[i].substr(9);
  }
  const char* named = std::getenv("COVEY_CONFIG");
  return named != nullptr && *named != '\0' ? std::optional<std::string>(named) : std::nullopt;
}

bool given(const CLI::Option& option, const std::vector<std::string>& words) {
  if (!option.get_envname().empty() && std::getenv(option.get_envname().c_str()) != nullptr) return true;
  return std::any_of(words.begin(), words.end(), [&](const std::string& word) {
    const auto name = word.substr(0, word.find('='));
    return name.starts_with("-") && option.check_name(name);
  });
}

YAML::Node load(const std::string& file) {
  try {
    return YAML::LoadFile(file);
  } catch (const YAML::BadFile&) {
    throw std::runtime_error(fmt::format("cannot read the configuration {}", file));
  } catch (const YAML::ParserException& error) {
    throw std::runtime_error(fmt::format("{}: line {}, column {}: {}", file, error.mark.line + 1, error.mark.column + 1, error.msg));
  }
}

}  // namespace

void add_config_option(CLI::App& command) {
  command.add_option("--config", "YAML file with options of this command, such as 'slots: 2'")->envname("COVEY_CONFIG")->type_name("FILE");
}

std::vector<std::string> with_config(CLI::App& app, std::vector<std::string> words) {
  const auto file = config_file(words);
  const CLI::App* command = nullptr;
  for (const CLI::App* one : app.get_subcommands({})) {
    if (!words.empty() && one->check_name(words[0])) command = one;
  }
  if (!file || command == nullptr || command->get_option_no_throw("--config") == nullptr) return words;
  const YAML::Node document = load(*file);
  if (document.IsNull()) return words;
  if (!document.IsMap()) throw std::runtime_error(fmt::format("{}: a map of options is wanted, such as 'slots: 2'", *file));
  std::vector<std::string> added;
  for (const auto& entry : document) {
    const auto key = entry.first.as<std::string>();
    const int line = entry.first.Mark().line + 1;
    const CLI::Option* option = command->get_option_no_throw("--" + key);
    if (option == nullptr) {
      throw std::runtime_error(fmt::format("{}: line {}: unknown option '{}'; `covey {} --help` lists them", *file, line, key, words[0]));
    }
    if (given(*option, words)) continue;
    const YAML::Node& value = entry.second;
    if (!value.IsScalar() && !value.IsSequence()) {
      throw std::runtime_error(fmt::format("{}: line {}: '{}' must be a value or a list of values", *file, line, key));
    }
    for (const auto& one : value.IsSequence() ? std::vector<YAML::Node>(value.begin(), value.end()) : std::vector<YAML::Node>{value}) {
      added.push_back(fmt::format("--{}={}", key, one.as<std::string>()));
    }
  }
  words.insert(words.end(), added.begin(), added.end());
  return words;
}

}  // namespace covey::cli
