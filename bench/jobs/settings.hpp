// What changes a job's document before it is read: --set of the command line, and ${name} for declared parameters.
// Pure.
#pragma once

#include <string>
#include <vector>

#include "bench/jobs/document.hpp"

namespace covey::jobs {

// Each setting is "key=value", the value in YAML. The key is a declared parameter's name, or a dotted path from the top
// in which an element of a list is named by its number or by its `name`: steps.pi.retries, steps.0.retries.
void apply_settings(Node& document, const std::vector<std::string>& settings, std::vector<Problem>& problems);

// Puts the values of `parameters` where ${name} stands. References to the input stay in `arguments`, where alone they
// may stand.
void replace_parameters(Node& document, std::vector<Problem>& problems);

}  // namespace covey::jobs
