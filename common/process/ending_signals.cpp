#include "common/process/ending_signals.hpp"

#include <signal.h>
#include <unistd.h>

#include <initializer_list>

namespace covey::process {

namespace {

bool is_first_process() { return ::getpid() == 1; }
void end_first_process(int number) { ::_exit(128 + number); }

}  // namespace

void heed_ending_signals() {
  if (!is_first_process()) return;
  for (const int number : {SIGINT, SIGTERM, SIGHUP}) {
    if (is_unhandled(number)) ::signal(number, end_first_process);
  }
}

bool is_unhandled(int number) {
  struct sigaction now {};
  ::sigaction(number, nullptr, &now);
  return now.sa_handler == SIG_DFL || now.sa_handler == end_first_process;
}

void end_by(int number) {
  if (is_first_process()) end_first_process(number);
  ::signal(number, SIG_DFL);
  ::raise(number);
}

}  // namespace covey::process
