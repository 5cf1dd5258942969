// Times as Kubernetes writes them (RFC 3339), and base64 as Secrets and kubeconfigs have it. Pure; any thread.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

namespace covey::kube {

using WallTime = std::chrono::system_clock::time_point;

std::string to_rfc3339(WallTime time);        // "2026-01-31T09:00:00Z"
std::string to_rfc3339_micro(WallTime time);  // "2026-01-31T09:00:00.000000Z", as Leases and Events have it
// With any fraction and any offset; nullopt for what is no such time.
std::optional<WallTime> parse_rfc3339(std::string_view text);

std::string base64_encoded(std::string_view bytes);
std::optional<std::string> base64_decoded(std::string_view text);  // line breaks and blanks are passed over

}  // namespace covey::kube
