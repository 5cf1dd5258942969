#include "common/bus/certificates.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <openssl/bio.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>
#include <unistd.h>

#include <boost/asio/ip/address.hpp>
#include <memory>
#include <stdexcept>

namespace covey::bus {

namespace {

template <auto release>
struct Release {
  template <class T>
  void operator()(T* object) const { release(object); }
};
using Key = std::unique_ptr<EVP_PKEY, Release<EVP_PKEY_free>>;
using Certificate = std::unique_ptr<X509, Release<X509_free>>;
using Extension = std::unique_ptr<X509_EXTENSION, Release<X509_EXTENSION_free>>;
using Memory = std::unique_ptr<BIO, Release<BIO_free>>;

// What OpenSSL's functions return where they fail is 0 or null.
template <class T>
T checked(T result) {
  if (result) return result;
  char text[256] = {};
  ERR_error_string_n(ERR_get_error(), text, sizeof text);
  throw std::runtime_error(fmt::format("cannot make a certificate: {}", text));
}

void add_extension(X509* certificate, X509* issuer, int kind, const std::string& value) {
  X509V3_CTX context;
  X509V3_set_ctx_nodb(&context);
  X509V3_set_ctx(&context, issuer, certificate, nullptr, nullptr, 0);
  const Extension extension(checked(X509V3_EXT_conf_nid(nullptr, &context, kind, value.c_str())));
  checked(X509_add_ext(certificate, extension.get(), -1));
}

void set_random_serial(X509* certificate) {
  unsigned char bytes[8];
  checked(RAND_bytes(bytes, sizeof bytes) == 1);
  std::uint64_t serial = 0;
  for (const auto byte : bytes) serial = serial << 8 | byte;
  checked(ASN1_INTEGER_set_uint64(X509_get_serialNumber(certificate), serial >> 1 | 1));
}

// Valid from an hour ago, for clocks that differ.
Certificate unsigned_certificate(EVP_PKEY* key, const std::string& common_name) {
  Certificate certificate(checked(X509_new()));
  checked(X509_set_version(certificate.get(), X509_VERSION_3));
  set_random_serial(certificate.get());
  checked(X509_gmtime_adj(X509_getm_notBefore(certificate.get()), -3600));
  checked(X509_gmtime_adj(X509_getm_notAfter(certificate.get()), 86400L * kCertificateDays));
  checked(X509_set_pubkey(certificate.get(), key));
  const auto* name = reinterpret_cast<const unsigned char*>(common_name.c_str());
  checked(X509_NAME_add_entry_by_txt(X509_get_subject_name(certificate.get()), "CN", MBSTRING_UTF8, name, -1, -1, 0));
  return certificate;
}

void sign(X509* certificate, X509* issuer, EVP_PKEY* issuer_key) {
  checked(X509_set_issuer_name(certificate, X509_get_subject_name(issuer)));
  add_extension(certificate, issuer, NID_subject_key_identifier, "hash");
  checked(X509_sign(certificate, issuer_key, EVP_sha256()));
}

Certificate make_authority(EVP_PKEY* key) {
  auto authority = unsigned_certificate(key, "covey authority of one run");
  add_extension(authority.get(), authority.get(), NID_basic_constraints, "critical,CA:TRUE,pathlen:0");
  add_extension(authority.get(), authority.get(), NID_key_usage, "critical,keyCertSign");
  sign(authority.get(), authority.get(), key);
  return authority;
}

std::string alternative_names(const std::vector<std::string>& names) {
  std::string text;
  for (const auto& name : names) {
    boost::system::error_code no_address;
    boost::asio::ip::make_address(name, no_address);
    text += fmt::format("{}{}:{}", text.empty() ? "" : ",", no_address ? "DNS" : "IP", name);
  }
  return text;
}

Certificate make_server(EVP_PKEY* key, X509* authority, EVP_PKEY* authority_key, const std::vector<std::string>& names) {
  auto server = unsigned_certificate(key, names.at(0));
  add_extension(server.get(), authority, NID_basic_constraints, "critical,CA:FALSE");
  add_extension(server.get(), authority, NID_key_usage, "critical,digitalSignature");
  add_extension(server.get(), authority, NID_ext_key_usage, "serverAuth");
  add_extension(server.get(), authority, NID_subject_alt_name, alternative_names(names));
  sign(server.get(), authority, authority_key);
  return server;
}

// Replaces what was there, so that the mode is that of a new file.
std::string write_file(const std::filesystem::path& path, BIO* content) {
  char* data = nullptr;
  const long size = BIO_get_mem_data(content, &data);
  std::filesystem::remove(path);
  const int file = ::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  const bool written = file >= 0 && ::write(file, data, static_cast<std::size_t>(size)) == size;
  if (file >= 0) ::close(file);
  if (!written) throw std::runtime_error(fmt::format("cannot write {}", path.string()));
  return path.string();
}

std::string write_certificate(const std::filesystem::path& path, X509* certificate) {
  const Memory memory(checked(BIO_new(BIO_s_mem())));
  checked(PEM_write_bio_X509(memory.get(), certificate));
  return write_file(path, memory.get());
}

std::string write_key(const std::filesystem::path& path, EVP_PKEY* key) {
  const Memory memory(checked(BIO_new(BIO_s_mem())));
  checked(PEM_write_bio_PrivateKey(memory.get(), key, nullptr, nullptr, 0, nullptr, nullptr));
  return write_file(path, memory.get());
}

}  // namespace

Certificates make_certificates(const std::filesystem::path& folder, const std::vector<std::string>& names) {
  if (names.empty()) throw std::runtime_error("a certificate needs a name");
  std::filesystem::create_directories(folder);
  const Key authority_key(checked(EVP_EC_gen("P-256"))), server_key(checked(EVP_EC_gen("P-256")));
  const auto authority = make_authority(authority_key.get());
  const auto server = make_server(server_key.get(), authority.get(), authority_key.get(), names);
  return {write_certificate(folder / "ca.pem", authority.get()), write_certificate(folder / "server.pem", server.get()),
          write_key(folder / "server.key", server_key.get())};
}

}  // namespace covey::bus
