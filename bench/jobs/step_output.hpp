// What a step is to do, what stands in its output from earlier runs, and whether that may be continued. Does I/O; one
// thread.
#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "bench/jobs/inputs.hpp"
#include "bench/jobs/job.hpp"
#include "bench/jobs/journal.hpp"
#include "bench/jobs/records.hpp"

namespace covey::jobs {

// Where relative names of files begin.
struct Folders {
  std::filesystem::path inputs;   // the job file's folder
  std::filesystem::path outputs;  // --out, or else the current folder
};

struct Resume {
  bool restart = false;       // throw away what stands there
  bool retry_failed = false;  // run again what has failed
};

struct Prepared {
  const Step* step = nullptr;
  std::filesystem::path output;
  Checkpoint checkpoint;
  std::uint64_t total = 0;                   // inputs or tasks; 1 for a benchmark
  std::vector<std::string> first_arguments;  // of a map, for people
  RecordFormat format;
  Recovered before;       // what an earlier run has left
  bool is_begun = false;  // there is an earlier run's output
};

// Looks at the inputs and at the output. Throws BadJob where an input cannot be used, where the output is of another
// job or of something else, or where it has been tampered with.
Prepared prepare(const Job& job, const Step& step, const Folders& folders, const Resume& resume);

// The output, ready to be appended to: its checkpoint is written, what does not stay is cut off.
std::unique_ptr<Journal> open_journal(Prepared& prepared, const Resume& resume);

}  // namespace covey::jobs
