// Where a step's tasks come from: a map's inputs or a graph. Reads the inputs' files; one thread.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <unordered_map>

#include "bench/jobs/graph.hpp"
#include "bench/jobs/inputs.hpp"
#include "bench/jobs/records.hpp"

namespace covey::jobs {

struct Work {
  std::uint64_t index = 0;
  std::string_view function;
  std::string arguments;  // JSON
  const TaskPolicy* policy = nullptr;
};

class WorkSource {
 public:
  virtual ~WorkSource() = default;
  // False: there is nothing to begin now. Once nothing runs any more, there is nothing left at all.
  virtual bool next(Work& into) = 0;
  // Fills in what a record says of the task besides its end. What it points to stays until on_ended().
  virtual void describe(Record& record) const = 0;
  virtual void on_ended(std::uint64_t index, bool ok) = 0;
  // A task that will not run, because another has failed; false: there is none.
  virtual bool next_skipped(std::uint64_t& index, std::string& why) = 0;
};

// What an earlier run has ended is left out. The step and `before` outlive the source.
std::unique_ptr<WorkSource> open_work(const Step& step, const std::filesystem::path& folder, const Recovered& before);

}  // namespace covey::jobs
