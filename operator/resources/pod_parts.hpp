// What the Pods of engines, of the controller and of jobs have in common: what the pod security standard `restricted` asks for, and pieces of JSON.
// Pure; any thread.
#pragma once

#include <boost/json.hpp>
#include <string>
#include <vector>

namespace covey::resources {

inline constexpr int kUser = 65532;          // the image's
inline constexpr int kFilesReadable = 0440;  // by the group, which is fsGroup
inline constexpr const char* kFolder = "/etc/covey";

inline boost::json::array texts(const std::vector<std::string>& from) {
  boost::json::array array;
  for (const auto& each : from) array.emplace_back(each);
  return array;
}

inline boost::json::array only(boost::json::value element) {
  boost::json::array array;
  array.push_back(std::move(element));
  return array;
}

inline boost::json::object container_security() {
  return {{"allowPrivilegeEscalation", false}, {"readOnlyRootFilesystem", true}, {"capabilities", {{"drop", only("ALL")}}}};
}

inline boost::json::object pod_security() {
  return {{"runAsNonRoot", true}, {"runAsUser", kUser}, {"runAsGroup", kUser}, {"fsGroup", kUser}, {"seccompProfile", {{"type", "RuntimeDefault"}}}};
}

inline boost::json::object secret_volume(const std::string& name) {
  return {{"secret", {{"secretName", name}, {"defaultMode", kFilesReadable}}}};
}

}  // namespace covey::resources
