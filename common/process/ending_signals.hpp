// The signals that ask a process to end: SIGINT, SIGTERM and SIGHUP. The kernel keeps them from the first process of a container, or of
// any PID namespace, unless it handles them (pid_namespaces(7)): such a process would only end when it is killed. Any thread may call.
#pragma once

namespace covey::process {

// The first thing in main(): from now on these signals end this process even where it is the first one. Who can end in good order
// sets a handler of its own later.
void heed_ending_signals();

// Whether nobody has set a handler for this signal, apart from heed_ending_signals().
bool is_unhandled(int number);

// Ends this process as the signal would have done, with status 128 + number where it is the first one. For signal handlers too: there
// it may return, and the process ends as soon as the handler has returned.
void end_by(int number);

}  // namespace covey::process
