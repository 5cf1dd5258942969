// The address of an API server, taken apart. Pure; any thread.
#pragma once

#include <optional>
#include <string>

#include "operator/kube/config.hpp"

namespace covey::kube {

// Fills in host, port, base_path and tls from https://HOST[:PORT][/PATH]; says what is wrong with it otherwise.
std::optional<Error> set_server(Config& config, const std::string& url);

}  // namespace covey::kube
