// A user's podTemplate over what the operator makes. Pure; any thread.
#pragma once

#include <boost/json/object.hpp>

namespace covey::resources {

// Objects are merged member by member, null removes one. Lists whose elements have names (containers, volumes, env, ports, imagePullSecrets) are
// merged by name, volumeMounts by mountPath; other lists are replaced.
void merge_over(boost::json::object& base, const boost::json::object& over);

}  // namespace covey::resources
