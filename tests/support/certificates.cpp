#include "tests/support/certificates.hpp"

#include <cstdlib>
#include <stdexcept>

namespace covey::support {

namespace {

void openssl(const std::string& arguments, const std::filesystem::path& directory) {
  const std::string command = "cd '" + directory.string() + "' && openssl " + arguments + " >>openssl.log 2>&1";
  if (std::system(command.c_str()) != 0) throw std::runtime_error("failed: " + command);
}

}  // namespace

Certificates make_certificates(const std::filesystem::path& directory, const std::string& host) {
  const std::string key = "-newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes ";
  openssl("req -x509 " + key + "-keyout ca.key -out ca.pem -days 2 -subj /CN=covey-test-authority", directory);
  openssl("req " + key + "-keyout server.key -out server.csr -subj /CN=" + host + " -addext subjectAltName=DNS:" + host,
          directory);
  openssl(
      "x509 -req -in server.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 2 -copy_extensions copy -out server.pem",
      directory);
  return {(directory / "ca.pem").string(), (directory / "server.pem").string(), (directory / "server.key").string()};
}

}  // namespace covey::support
