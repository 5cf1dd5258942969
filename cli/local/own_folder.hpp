// A folder under the system's temporary one for the length of a command. It goes with its object, and also when a signal ends
// the process. Knows nothing of what is in it. Made and destroyed on one thread at a time.
#pragma once

#include <filesystem>
#include <string>

namespace covey::local {

class OwnFolder {
 public:
  // `prefix` such as "covey-bench-". Throws std::runtime_error where it cannot be made.
  explicit OwnFolder(const std::string& prefix);
  ~OwnFolder();
  OwnFolder(const OwnFolder&) = delete;
  OwnFolder& operator=(const OwnFolder&) = delete;
  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
  std::size_t slot_;
};

// A signal handler: ends the process as the signal would have, and has its folders removed once it is gone, and its children
// with it. The first OwnFolder installs it for SIGINT, SIGTERM and SIGHUP where nobody handles or ignores them.
void end_with_folders(int signal);

}  // namespace covey::local
