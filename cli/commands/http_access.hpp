// How `covey up` gives access to its controller's HTTP API: a free port, and a token in files of mode 0600.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace covey::cli {

struct HttpAccess {
  std::string url;    // http://127.0.0.1:PORT/
  std::string token;
  std::filesystem::path tokens_file, connect_file;

  // For `covey controller`.
  std::vector<std::string> controller_arguments() const;
  // For browsers: what follows the # stays with the page and is not sent.
  std::string url_with_token() const { return url + "#token=" + token; }
};

// Makes the folder if need be, a token, and the files: `http-tokens` for the controller, `http.json` for whoever wants to know.
// `port` 0: a free one. Throws std::runtime_error.
HttpAccess make_http_access(const std::filesystem::path& folder, std::uint16_t port);
void remove_http_access(const HttpAccess& access);

}  // namespace covey::cli
