// Runs a chunk: one task whose payload is a run of contents, each of them the arguments of one call. `append_to_run` in
// common/wire/records.hpp has the format. Any thread; one run of it per context.
#pragma once

#include "engine/exec/function.hpp"

namespace covey::engine {

// Calls `function` with each content in turn. The value is a run of as many reports, whatever became of each. The outcome is ok
// where all are; `failed` where any failed, so that retries run the chunk again; or else the first of the other statuses. Once
// the context says stop, the elements that are left are not run, their reports say why, and so does the outcome.
Outcome run_chunk(const Function& function, CallContext& context, const wire::Payload& contents);

}  // namespace covey::engine
