// The description of the API, controller/http/openapi.json, as text in the executable.
#pragma once

#include <string_view>

namespace covey::api {

extern const std::string_view kOpenapi;

}  // namespace covey::api
