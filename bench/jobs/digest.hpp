// SHA-256 of what is fed in, for telling whether a job or a file has changed. One thread.
#pragma once

#include <openssl/evp.h>

#include <memory>
#include <string>
#include <string_view>

namespace covey::jobs {

class Digest {
 public:
  Digest();
  Digest& add(std::string_view bytes);
  // A text with its length, so that "ab", "c" and "a", "bc" differ.
  Digest& field(std::string_view text) { return add(std::to_string(text.size()) + ":").add(text); }
  std::string hex();  // the last thing to ask

 private:
  struct Free {
    void operator()(EVP_MD_CTX* context) const { ::EVP_MD_CTX_free(context); }
  };
  std::unique_ptr<EVP_MD_CTX, Free> context_;
};

}  // namespace covey::jobs
