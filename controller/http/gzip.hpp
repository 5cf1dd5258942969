// gzip for answers, over zlib: whole, or piece by piece with each piece readable as soon as it is there.
#pragma once

#include <zlib.h>

#include <string>
#include <string_view>

namespace covey::api {

class Gzip {
 public:
  Gzip();
  ~Gzip();
  Gzip(const Gzip&) = delete;
  Gzip& operator=(const Gzip&) = delete;

  // What has to be sent for `text`; everything so far can then be read.
  std::string add(std::string_view text) { return run(text, Z_SYNC_FLUSH); }
  std::string finish(std::string_view text = {}) { return run(text, Z_FINISH); }

 private:
  std::string run(std::string_view text, int flush);
  z_stream stream_{};
};

}  // namespace covey::api
