// Every parser of untrusted bytes, as a function that must neither crash nor leak nor hang whatever it is given.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <utility>

#include "common/wire/bytes.hpp"

namespace covey::fuzz {

using Target = void (*)(wire::ByteSpan);

void frames_to_controller(wire::ByteSpan input);  // as a linked client and as a linked engine
void frames_to_engine(wire::ByteSpan input);
void frames_to_client(wire::ByteSpan input);
void whole_values(wire::ByteSpan input);          // specs, extras, reports, contents, greetings, ids
void admin_requests(wire::ByteSpan input);
void arguments(wire::ByteSpan input);             // of the built-in functions
void job_files(wire::ByteSpan input);
void job_outputs(wire::ByteSpan input);           // that a run goes on with
void http_bodies(wire::ByteSpan input);           // of requests for tasks and maps
void http_targets(wire::ByteSpan input);          // paths, queries, their values, files of tokens
void kubernetes_objects(wire::ByteSpan input);    // resources, Pods, watch lines, what controllers and runners tell

inline constexpr std::pair<std::string_view, Target> kTargets[] = {
    {"frames_to_controller", frames_to_controller}, {"frames_to_engine", frames_to_engine}, {"frames_to_client", frames_to_client},
    {"whole_values", whole_values},                 {"admin_requests", admin_requests},     {"arguments", arguments},
    {"job_files", job_files},                       {"job_outputs", job_outputs},
    {"http_bodies", http_bodies},                   {"http_targets", http_targets},
    {"kubernetes_objects", kubernetes_objects},
};

}  // namespace covey::fuzz
