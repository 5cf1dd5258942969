#include "controller/http/tokens.hpp"

#include <fmt/format.h>
#include <openssl/crypto.h>
#include <openssl/sha.h>
#include <sys/stat.h>

#include <fstream>
#include <iterator>
#include <sstream>

#include "controller/http/router.hpp"

namespace covey::api {

namespace {

std::array<unsigned char, 32> digest_of(std::string_view token) {
  std::array<unsigned char, 32> digest{};
  ::SHA256(reinterpret_cast<const unsigned char*>(token.data()), token.size(), digest.data());
  return digest;
}

// 0: there is an unknown one among them.
std::uint8_t parse_scopes(std::string_view list) {
  std::uint8_t scopes = 0;
  while (!list.empty()) {
    const auto name = list.substr(0, list.find(','));
    list.remove_prefix(std::min(name.size() + 1, list.size()));
    std::uint8_t scope = 0;
    for (const auto one : {Scope::read, Scope::submit, Scope::admin}) {
      if (name == to_string(one)) scope = static_cast<std::uint8_t>(one);
    }
    if (scope == 0) return 0;
    scopes = static_cast<std::uint8_t>(scopes | scope);
  }
  return scopes;
}

}  // namespace

FileStamp FileStamp::of(const std::string& file) {
  struct stat found {};
  if (::stat(file.c_str(), &found) != 0) return {};
  return {found.st_mtim.tv_sec * 1'000'000'000 + found.st_mtim.tv_nsec, static_cast<std::uint64_t>(found.st_size), found.st_ino};
}

std::string Tokens::parse(std::string_view text) {
  std::vector<Entry> entries;
  std::istringstream lines{std::string(text)};
  std::string line;
  for (int number = 1; std::getline(lines, line); ++number) {
    std::istringstream words(line);
    std::string token, scopes, name, more;
    words >> token >> scopes >> name;
    if (token.empty() || token.starts_with('#')) continue;
    if (words >> more || scopes.empty()) return fmt::format("line {}: 'TOKEN SCOPES [NAME]' is wanted", number);
    if (token.size() < kShortest || token.size() > kLongest) {
      return fmt::format("line {}: a token has {} to {} characters", number, kShortest, kLongest);
    }
    const auto bits = parse_scopes(scopes);
    if (bits == 0) return fmt::format("line {}: the scopes are read, submit and admin, with commas between; got '{}'", number, scopes);
    if (entries.size() == kMost) return fmt::format("line {}: more than {} tokens", number, kMost);
    entries.push_back({digest_of(token), bits, name.empty() ? fmt::format("line {}", number) : name});
  }
  if (entries.empty()) return "it has no token";
  entries_ = std::move(entries);
  return {};
}

std::string Tokens::load(const std::string& file) {
  std::ifstream in(file, std::ios::binary);
  if (!in) return "it cannot be read";
  return parse(std::string(std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()));
}

Tokens::Holder Tokens::find(std::string_view token) const {
  const auto digest = digest_of(token);
  Holder holder;
  for (const Entry& entry : entries_) {
    if (CRYPTO_memcmp(entry.digest.data(), digest.data(), digest.size()) == 0) holder = {entry.scopes, entry.name, true};
  }
  return holder;
}

}  // namespace covey::api
