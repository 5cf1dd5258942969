// Certificates for a nats-server of our own: an authority that is made for one run, and a server certificate of it. The
// authority's key is never written, so that nobody can sign with it afterwards. Blocks for some milliseconds.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace covey::bus {

struct Certificates {
  std::string authority, server_cert, server_key;  // paths of PEM files: ca.pem, server.pem, server.key
};

// For the days that a cluster on one machine may live.
inline constexpr int kCertificateDays = 30;

// Writes them into `folder`, which is made if missing; each file has mode 0600. `names` are DNS names and IP addresses, at
// least one. Throws std::runtime_error.
Certificates make_certificates(const std::filesystem::path& folder, const std::vector<std::string>& names);

}  // namespace covey::bus
