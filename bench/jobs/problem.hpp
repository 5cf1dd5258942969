// What is wrong with a job, and where: file, line, column, key, and what would be right. Pure values; any thread.
#pragma once

#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

namespace covey::jobs {

// A place in a job file, or in a --set of the command line.
struct Mark {
  std::shared_ptr<const std::string> source;  // the file's name, or "--set key=value"
  int line = 0, column = 0;                   // from 1; 0: the source as a whole
};

struct Problem {
  Mark mark;
  std::string key;      // dotted path, such as "steps.pi.retries"; empty: the whole job
  std::string message;  // what was wrong and what would be right
};

// "job.yaml:7:14: steps.pi.retries: must be a whole number from 0 to 1000, got 'many'"
std::string to_string(const Problem& problem);
std::string to_string(const std::vector<Problem>& problems);  // one on each line

// A job, or an input of it, that cannot be run as it is: exit status 2.
class BadJob : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
  explicit BadJob(const std::vector<Problem>& problems) : std::runtime_error(to_string(problems)) {}
};

}  // namespace covey::jobs
