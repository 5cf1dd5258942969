// The inputs of a map, one after another: files are streamed, so that millions of inputs need no memory. Reads files;
// one thread.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "bench/jobs/job.hpp"

namespace covey::jobs {

inline constexpr std::size_t kLongestInput = 64u << 20;  // bytes of a line or a record

class InputReader {
 public:
  virtual ~InputReader() = default;
  // False: there are no more. Throws BadJob that names the file and the line where one cannot be read.
  virtual bool next(Input& into) = 0;
  // Names of the fields that every input has (CSV, grid); empty for other inputs.
  virtual std::vector<std::string> columns() const { return {}; }
  virtual std::string place() const = 0;  // of the input that next() gave, for messages
};

// Files are looked for in `base`.
std::unique_ptr<InputReader> open_inputs(const Inputs& inputs, const std::filesystem::path& base);

// The file that inputs come from, as written; empty: none.
std::string file_of(const Inputs& inputs);

// What is known of inputs once all have been looked at.
struct Survey {
  std::uint64_t count = 0;
  std::string digest;
  std::vector<std::string> columns;
  std::vector<std::string> first_arguments;  // of the first few, as JSON
};
// Goes over all inputs, and checks that each makes arguments. Throws BadJob.
Survey survey(const Inputs& inputs, const std::filesystem::path& base, const Template& arguments);

}  // namespace covey::jobs
