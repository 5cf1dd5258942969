// What a slot adds to nanosleep: one slot runs `sleep(1 ms)` over and over, beside bare nanosleep on a thread with the
// same timer slack. Prints how much longer than 1 ms both take, and how often the loop was woken. Rounds alternate.
#include <fmt/format.h>
#include <sys/prctl.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <ctime>
#include <semaphore>
#include <thread>
#include <vector>

#include "engine/exec/builtins.hpp"
#include "engine/exec/slot_pool.hpp"

namespace {

using Clock = std::chrono::steady_clock;
constexpr int kRounds = 10, kRuns = 300, kCredit = 64;

double us_over_a_millisecond(Clock::time_point begin) {
  return std::chrono::duration<double, std::micro>(Clock::now() - begin).count() / kRuns - 1000;
}

double bare() {
  double over = 0;
  std::thread([&] {
    ::prctl(PR_SET_TIMERSLACK, 1UL);
    const auto begin = Clock::now();
    const timespec millisecond{0, 1'000'000};
    for (int i = 0; i < kRuns; ++i) ::nanosleep(&millisecond, nullptr);
    over = us_over_a_millisecond(begin);
  }).join();
  return over;
}

struct Measured {
  double over_us;
  int wakes;
};

// Keeps kCredit jobs in the pool, as a controller would.
Measured with_a_slot(const covey::engine::Function* sleep) {
  using namespace covey;
  std::counting_semaphore<> woken(0);
  std::atomic<int> wakes = 0;
  engine::SlotPool pool(1, [&] { ++wakes, woken.release(); });
  const wire::Payload args{wire::Codec::json, wire::Buffer::copy_of("[0.001]")};
  std::uint64_t pushed = 0;
  int done = 0;
  const auto fill = [&] {
    for (; pushed < kRuns && pushed < static_cast<std::uint64_t>(done) + kCredit; ++pushed)
      pool.push({pushed, sleep, args});
  };
  std::vector<engine::Finished> finished;
  const auto begin = Clock::now();
  for (fill(); done < kRuns; fill()) {
    woken.acquire();
    pool.take_finished(finished);
    done += static_cast<int>(finished.size());
  }
  return {us_over_a_millisecond(begin), wakes};
}

double median(std::vector<double> values) {
  std::nth_element(values.begin(), values.begin() + values.size() / 2, values.end());
  return values[values.size() / 2];
}

}  // namespace

int main() {
  covey::engine::FunctionTable table;
  covey::engine::add_builtins(table);
  std::vector<double> plain, slot;
  int wakes = 0;
  for (int i = 0; i < kRounds; ++i) {
    plain.push_back(bare());
    const auto measured = with_a_slot(table.find("sleep"));
    slot.push_back(measured.over_us);
    wakes += measured.wakes;
  }
  fmt::print("over 1 ms: nanosleep {:.1f} µs, slot {:.1f} µs (medians of {} rounds); {:.2f} wakes per job\n",
             median(plain), median(slot), kRounds, static_cast<double>(wakes) / (kRounds * kRuns));
}
