#include "cli/commands/http_access.hpp"

#include <arpa/inet.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <boost/json.hpp>
#include <random>
#include <stdexcept>

namespace covey::cli {

namespace {

std::string random_token() {
  std::random_device device;
  std::string token = "covey_";
  for (int i = 0; i < 4; ++i) token += fmt::format("{:08x}", device());
  return token;
}

// Somebody else may take it before the controller does, which then says so.
std::uint16_t free_port() {
  const int listener = ::socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  const bool good = ::bind(listener, reinterpret_cast<sockaddr*>(&address), size) == 0 &&
                    ::getsockname(listener, reinterpret_cast<sockaddr*>(&address), &size) == 0;
  ::close(listener);
  if (!good) throw std::runtime_error("no port is free for the HTTP API");
  return ntohs(address.sin_port);
}

void write_private(const std::filesystem::path& file, const std::string& text) {
  std::filesystem::remove(file);
  const int descriptor = ::open(file.c_str(), O_WRONLY | O_CREAT | O_EXCL, 0600);
  const bool written = descriptor >= 0 && ::write(descriptor, text.data(), text.size()) == static_cast<ssize_t>(text.size());
  if (descriptor >= 0) ::close(descriptor);
  if (!written) throw std::runtime_error(fmt::format("cannot write {}", file.string()));
}

}  // namespace

std::vector<std::string> HttpAccess::controller_arguments() const {
  const auto host = url.substr(7, url.size() - 8);
  return {"--http", host, "--http-tokens", tokens_file.string(), "--http-benchmarks", (tokens_file.parent_path() / "client.json").string()};
}

HttpAccess make_http_access(const std::filesystem::path& folder, std::uint16_t port) {
  std::filesystem::create_directories(folder);
  ::chmod(folder.c_str(), 0700);
  HttpAccess access;
  access.url = fmt::format("http://127.0.0.1:{}/", port != 0 ? port : free_port());
  access.token = random_token();
  access.tokens_file = folder / "http-tokens";
  access.connect_file = folder / "http.json";
  write_private(access.tokens_file, fmt::format("# TOKEN SCOPES [NAME]; read again when it changes\n{} read,submit,admin up\n", access.token));
  write_private(access.connect_file, boost::json::serialize(boost::json::object{{"url", access.url}, {"token", access.token}}) + "\n");
  return access;
}

void remove_http_access(const HttpAccess& access) {
  std::error_code ignored;
  std::filesystem::remove(access.tokens_file, ignored);
  std::filesystem::remove(access.connect_file, ignored);
}

}  // namespace covey::cli
