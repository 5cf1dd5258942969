// Options from a YAML file: each key is a long option's name without its dashes; a list gives an option several values.
#pragma once

#include <CLI/CLI.hpp>
#include <string>
#include <vector>

namespace covey::cli {

// Adds --config to a command.
void add_config_option(CLI::App& command);

// The words of the command line, with those that a --config file (or COVEY_CONFIG) adds at the end: options that neither
// the command line nor the environment gives. Throws std::runtime_error that names the file, the key and what is wrong.
std::vector<std::string> with_config(CLI::App& app, std::vector<std::string> words);

}  // namespace covey::cli
