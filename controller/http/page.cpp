#include "controller/http/page.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "controller/http/handlers.hpp"

namespace covey::api {

namespace {

// Vite names what is in assets/ after its content: it never changes. The page itself is asked for again each time.
constexpr std::string_view kFixedFolder = "assets/";
constexpr std::string_view kFixed = "public, max-age=31536000, immutable", kAskAgain = "no-cache";

constexpr std::pair<std::string_view, std::string_view> kPolicies[] = {
    {"Content-Security-Policy",
     "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; "
     "frame-ancestors 'none'"},
    {"Referrer-Policy", "no-referrer"},
    {"Cross-Origin-Opener-Policy", "same-origin"},
    {"Cross-Origin-Resource-Policy", "same-origin"},
};

const PageFile* find_file(std::string_view path) {
  const auto files = page_files();
  const auto found = std::lower_bound(files.begin(), files.end(), path, [](const PageFile& file, std::string_view wanted) { return file.path < wanted; });
  return found != files.end() && found->path == path ? &*found : nullptr;
}

Answer get_page(Exchange* exchange) {
  const PageFile& file = *find_file(exchange->params[0]);
  const bool packed = !file.packed.empty() && exchange->wants_gzip();
  const std::string tag = fmt::format("\"{}{}\"", file.hash, packed ? "-gzip" : "");
  const bool known = names_tag(exchange->header(http::field::if_none_match), tag);
  Reply reply(known ? 304 : 200, std::string(known ? std::string_view() : packed ? file.packed : file.plain), file.type);
  reply.as_it_is = true;
  reply.headers.emplace_back("Cache-Control", file.path.starts_with(kFixedFolder) ? kFixed : kAskAgain);
  reply.headers.emplace_back("ETag", tag);
  if (packed) reply.headers.emplace_back("Content-Encoding", "gzip");
  for (const auto& [name, value] : kPolicies) reply.headers.emplace_back(name, value);
  co_return reply;
}

constexpr Route kPage{http::verb::get, "/", Scope::none, get_page};

}  // namespace

Match find_page(http::verb method, const std::vector<std::string>& segments) {
  Match match;
  std::string path = fmt::format("{}", fmt::join(segments, "/"));
  if (path.empty()) path = "index.html";
  if (find_file(path) == nullptr) return match;
  match.allowed = "GET, HEAD, OPTIONS";
  if (method == http::verb::get || method == http::verb::head) match.route = &kPage;
  match.params = {std::move(path)};
  return match;
}

bool names_tag(std::string_view if_none_match, std::string_view tag) {
  while (!if_none_match.empty()) {
    const auto comma = if_none_match.find(',');
    auto one = if_none_match.substr(0, comma);
    if_none_match.remove_prefix(comma == std::string_view::npos ? if_none_match.size() : comma + 1);
    one.remove_prefix(std::min(one.find_first_not_of(" \t"), one.size()));
    one = one.substr(0, one.find_last_not_of(" \t") + 1);
    if (one.starts_with("W/")) one.remove_prefix(2);
    if (one == tag || one == "*") return true;
  }
  return false;
}

}  // namespace covey::api
