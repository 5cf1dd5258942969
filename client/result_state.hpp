// What an AsyncResult shares with the client's loop. Private to client/.
#pragma once

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <iterator>
#include <memory>
#include <vector>

#include "client/completion.hpp"
#include "client/core/client_core.hpp"
#include "common/wire/bytes.hpp"
#include "common/wire/payload.hpp"

namespace covey::client {

class Session;
struct ResultState;

// Tasks with consecutive numbers that belong to one AsyncResult. Loop thread only, but for construction.
struct Segment {
  std::shared_ptr<ResultState> state;  // kept alive while results are due
  std::uint64_t first_sequence = 0;
  std::size_t first_index = 0;  // of the elements
  std::size_t elements = 1;
  std::size_t left = 1;   // tasks without a result
  std::size_t chunk = 0;  // elements of each task, of the last perhaps fewer; 0: the tasks are no chunks, and have one each
  std::int64_t submitted_unix_us = 0;

  std::size_t first_element_of(std::uint64_t sequence) const {
    return first_index + (sequence - first_sequence) * (chunk == 0 ? 1 : chunk);
  }
  std::size_t elements_of(std::uint64_t sequence) const {
    return chunk == 0 ? 1 : std::min(chunk, first_index + elements - first_element_of(sequence));
  }
};

// One element of an AsyncResult that has ended.
struct Outcome {
  wire::SmallBytes report;
  std::unique_ptr<const wire::Payload> value;  // where it was too large for the report
  std::uint64_t sequence = 0;
  std::uint32_t attempts = 0;
  wire::Incarnation engine = wire::Incarnation::none;
  std::int64_t submitted_unix_us = 0;
};

// The loop writes an outcome, then publishes it through `has` or `done` (release); readers look at these (acquire) first, or
// hold Session::waiting for the order of completion.
struct ResultState {
  static constexpr std::size_t kNobody = SIZE_MAX;
  // A thread that waits in Session::changed until so many elements have ended, and is told once.
  struct Need {
    std::size_t until;
    bool told = false;
  };
  // A coroutine that does.
  struct Wait {
    std::size_t until;
    std::shared_ptr<Completion> completion;
  };

  explicit ResultState(std::shared_ptr<Session> of) : session(std::move(of)) {}

  std::shared_ptr<Session> session;
  std::size_t total = 1;
  std::atomic<std::size_t> done{0};
  std::atomic<std::size_t> failed{0};
  std::atomic<std::size_t> wake_at{kNobody};  // how many elements have to end before somebody has to be told
  bool keeps_order = false;     // of completion: all but lone tasks
  bool in_order = true;         // how a range-for goes through it
  Segment segment;              // of a lone task
  Outcome single;
  std::vector<Outcome> many;                     // all but lone tasks
  std::vector<std::atomic<bool>> has;            // likewise: which of `many` are there
  std::vector<std::uint32_t> order;              // guarded by Session::waiting
  std::size_t handed_out = 0;                    // of `order`, by next(); guarded likewise
  std::vector<std::function<void()>> callbacks;  // guarded likewise
  std::vector<Wait> waits;                       // guarded likewise
  std::vector<Need*> needs;                      // guarded likewise
  std::chrono::steady_clock::time_point submitted = std::chrono::steady_clock::now();
  std::atomic<std::int64_t> finished_ns{0};  // on the steady clock

  // Who is to be told now that so many elements have ended; threads are told here. The caller holds Session::waiting, wakes
  // threads under it, and tells the others without it.
  struct Woken {
    std::vector<std::function<void()>> callbacks;
    std::vector<Wait> waits;
    bool threads = false;
  };
  Woken take_woken(std::size_t ended) {
    Woken woken;
    if (ended == total) woken.callbacks.swap(callbacks);
    const auto over = std::partition(waits.begin(), waits.end(), [&](const Wait& wait) { return wait.until > ended; });
    std::move(over, waits.end(), std::back_inserter(woken.waits));
    waits.erase(over, waits.end());
    const auto met = std::partition(needs.begin(), needs.end(), [&](const Need* need) { return need->until > ended; });
    for (auto need = met; need != needs.end(); ++need) (*need)->told = true;
    woken.threads = met != needs.end();
    needs.erase(met, needs.end());
    set_wake_at();
    return woken;
  }

  // Makes room for so many elements, before anything is submitted.
  void hold_many(std::size_t count) {
    total = count;
    keeps_order = true;
    many.resize(count);
    has = std::vector<std::atomic<bool>>(count);
    order.reserve(count);
  }
  // After any change of needs, waits or callbacks, under Session::waiting. Whoever registers looks at `done` afterwards.
  void set_wake_at() {
    std::size_t first = callbacks.empty() ? kNobody : total;
    for (const auto& wait : waits) first = std::min(first, wait.until);
    for (const Need* need : needs) first = std::min(first, need->until);
    wake_at.store(first);
  }
  Outcome& outcome(std::size_t index) { return many.empty() ? single : many[index]; }
  bool has_outcome(std::size_t index) const {
    return has.empty() ? done.load(std::memory_order_acquire) > 0 : has[index].load(std::memory_order_acquire);
  }
};

}  // namespace covey::client
