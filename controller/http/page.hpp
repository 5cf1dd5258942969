// The dashboard's files, which the executable carries (cmake/CoveyDashboard.cmake makes page_files.cpp of them), and how they are
// served: with a policy that lets the page reach nothing but this server. They want no token; what they ask of the API does.
#pragma once

#include <span>
#include <string_view>

#include "controller/http/router.hpp"

namespace covey::api {

struct PageFile {
  std::string_view path;    // such as assets/index-1a2b3c.js, with no slash before it
  std::string_view type;    // for Content-Type
  std::string_view hash;    // of its content
  std::string_view plain;
  std::string_view packed;  // gzip; empty where that would not be smaller
};

// Sorted by path.
std::span<const PageFile> page_files();

// The file of a path that is no route: a match without a file's path has no methods. `/` is index.html.
Match find_page(http::verb method, const std::vector<std::string>& segments);

// Whether If-None-Match names this tag.
bool names_tag(std::string_view if_none_match, std::string_view tag);

}  // namespace covey::api
