// What views share on the way from a call to the session. Private to client/.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "client/session.hpp"
#include "client/task_options.hpp"

namespace covey::client {

// One task that is ready to be submitted once there is room.
struct Prepared {
  std::shared_ptr<ResultState> state;
  std::shared_ptr<SpecText> spec;  // outlives the submission
  Session::Pending pending;
};

wire::TaskSpec spec_of(std::string_view function, const TaskOptions& options);
// The rarely used part of a submission, encoded; usually empty.
std::string extras_of(const TaskOptions& options);
// Small arguments travel with the task; large ones stay here until an engine fetches them. Throws std::length_error beyond
// the limit.
void put_args(Session::Pending& pending, wire::Payload&& args, std::uint64_t limit);

// Hands a prepared task to the loop; room has been acquired. False: the client is closed.
bool submit(Prepared& prepared);
// Several tasks with one result: acquires room, and submits. Throws QueueFull on the loop.
void submit_all(Session& session, std::vector<Session::Pending> pending, std::unique_ptr<Segment> segment);

std::int64_t unix_us_now();

}  // namespace covey::client
