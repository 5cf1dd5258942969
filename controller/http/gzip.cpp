#include "controller/http/gzip.hpp"

#include <new>

namespace covey::api {

namespace {
constexpr int kQuick = 1;            // of 1 to 9: answers are made while somebody waits
constexpr int kGzipWindow = 15 + 16;  // zlib's way to say gzip
}  // namespace

Gzip::Gzip() {
  if (::deflateInit2(&stream_, kQuick, Z_DEFLATED, kGzipWindow, 8, Z_DEFAULT_STRATEGY) != Z_OK) throw std::bad_alloc();
}
Gzip::~Gzip() { ::deflateEnd(&stream_); }

std::string Gzip::run(std::string_view text, int flush) {
  std::string out;
  char piece[16 * 1024];
  // zlib declares its input without const and does not write to it.
  stream_.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));
  stream_.avail_in = static_cast<uInt>(text.size());
  do {
    stream_.next_out = reinterpret_cast<Bytef*>(piece);
    stream_.avail_out = sizeof piece;
    ::deflate(&stream_, flush);
    out.append(piece, sizeof piece - stream_.avail_out);
  } while (stream_.avail_out == 0);
  return out;
}

}  // namespace covey::api
