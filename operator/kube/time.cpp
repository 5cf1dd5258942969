#include "operator/kube/time.hpp"

#include <fmt/format.h>
#include <openssl/evp.h>

#include <charconv>

namespace covey::kube {

namespace {

using namespace std::chrono;

std::string seconds_part(sys_seconds time) {
  const auto day = floor<days>(time);
  const year_month_day date(day);
  const hh_mm_ss clock(time - day);
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}", int{date.year()}, unsigned{date.month()}, unsigned{date.day()}, clock.hours().count(),
                     clock.minutes().count(), clock.seconds().count());
}

// Reads digits and separators from the front of a text; false once anything did not fit.
struct Reader {
  std::string_view rest;
  bool good = true;

  int digits(std::size_t count) {
    int value = 0;
    const auto [end, error] = std::from_chars(rest.data(), rest.data() + std::min(count, rest.size()), value);
    good = good && error == std::errc() && end == rest.data() + count && rest.front() != '-';
    if (good) rest.remove_prefix(count);
    return value;
  }
  void expect(char c) {
    good = good && !rest.empty() && rest.front() == c;
    if (good) rest.remove_prefix(1);
  }
  microseconds fraction() {
    microseconds value{0};
    if (rest.empty() || rest.front() != '.') return value;
    rest.remove_prefix(1);
    for (microseconds unit{100'000}; !rest.empty() && rest.front() >= '0' && rest.front() <= '9'; unit /= 10) {
      value += unit * (rest.front() - '0');
      rest.remove_prefix(1);
    }
    return value;
  }
  minutes offset() {
    if (rest == "Z" || rest == "z") return minutes(0);
    const bool east = !rest.empty() && rest.front() == '+';
    if (!east) {
      expect('-');
    } else {
      rest.remove_prefix(1);
    }
    const int h = digits(2);
    expect(':');
    const auto all = minutes(h * 60 + digits(2));
    good = good && rest.empty();
    return east ? all : -all;
  }
};

}  // namespace

std::string to_rfc3339(WallTime time) { return seconds_part(floor<seconds>(time)) + "Z"; }

std::string to_rfc3339_micro(WallTime time) {
  const auto whole = floor<seconds>(time);
  return fmt::format("{}.{:06}Z", seconds_part(whole), duration_cast<microseconds>(time - whole).count());
}

std::optional<WallTime> parse_rfc3339(std::string_view text) {
  Reader in{text};
  const int y = in.digits(4);
  in.expect('-');
  const int m = in.digits(2);
  in.expect('-');
  const int d = in.digits(2);
  in.expect('T');
  const int h = in.digits(2);
  in.expect(':');
  const int min = in.digits(2);
  in.expect(':');
  const int s = in.digits(2);
  const auto fraction = in.fraction();
  const auto offset = in.offset();
  const year_month_day date(year(y), month(static_cast<unsigned>(m)), day(static_cast<unsigned>(d)));
  if (!in.good || !date.ok() || h > 23 || min > 59 || s > 60 || y < 1700) return std::nullopt;
  // The clock counts nanoseconds in 64 bits; credentials that are to last for ever name years beyond that.
  if (y > 2250) return sys_days(year(2250) / January / 1);
  return sys_days(date) + hours(h) + minutes(min) + seconds(s) + fraction - offset;
}

std::string base64_encoded(std::string_view bytes) {
  std::string out((bytes.size() + 2) / 3 * 4 + 1, '\0');  // and OpenSSL's final zero
  const int length = EVP_EncodeBlock(reinterpret_cast<unsigned char*>(out.data()), reinterpret_cast<const unsigned char*>(bytes.data()),
                                     static_cast<int>(bytes.size()));
  out.resize(static_cast<std::size_t>(length));
  return out;
}

std::optional<std::string> base64_decoded(std::string_view text) {
  std::string packed;
  for (const char c : text) {
    if (c != '\n' && c != '\r' && c != ' ' && c != '\t') packed += c;
  }
  if (packed.size() % 4 != 0) return std::nullopt;
  if (packed.empty()) return std::string();
  const std::size_t padding = packed.ends_with("==") ? 2 : packed.ends_with("=") ? 1 : 0;
  std::string out(packed.size() / 4 * 3, '\0');
  const int length = EVP_DecodeBlock(reinterpret_cast<unsigned char*>(out.data()), reinterpret_cast<const unsigned char*>(packed.data()),
                                     static_cast<int>(packed.size()));
  if (length < 0) return std::nullopt;
  out.resize(static_cast<std::size_t>(length) - padding);
  return out;
}

}  // namespace covey::kube
