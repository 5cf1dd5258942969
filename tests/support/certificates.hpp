// Throw-away certificates, made with the openssl command.
#pragma once

#include <filesystem>
#include <string>

namespace covey::support {

struct Certificates {
  std::string authority, server_cert, server_key;
};

// An authority and a server certificate of it for the DNS name `host`, in `directory`. Throws std::runtime_error.
Certificates make_certificates(const std::filesystem::path& directory, const std::string& host);

}  // namespace covey::support
