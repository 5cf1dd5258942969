#include "client/window.hpp"

#include <algorithm>
#include <future>
#include <memory>
#include <utility>
#include <vector>

namespace covey::client {

// Adds first and looks then, so that two who come at once cannot both find the last place.
bool Window::take(std::size_t tasks) {
  const auto before = used_.fetch_add(tasks);
  if (before + tasks <= limit_.load(std::memory_order_relaxed) || before == 0) return true;
  used_.fetch_sub(tasks);
  return false;
}

bool Window::try_acquire(std::size_t tasks) {
  if (waiting_.load() > 0) return false;
  if (take(tasks)) return true;
  if (waiting_.load() > 0) grant();  // somebody may have found no room for a moment because of us
  return false;
}

bool Window::acquire(std::size_t tasks) {
  if (try_acquire(tasks)) return true;
  const auto told = std::make_shared<std::promise<bool>>();
  auto granted = told->get_future();
  acquire_later(tasks, [told](bool room) { told->set_value(room); });
  return granted.get();
}

std::uint64_t Window::acquire_later(std::size_t tasks, Granted granted) {
  std::unique_lock lock(mutex_);
  const auto number = next_number_++;
  if (closed_) {
    lock.unlock();
    granted(false);
    return number;
  }
  queue_.push_back({number, tasks, std::move(granted)});
  waiting_.fetch_add(1);
  lock.unlock();
  grant();
  return number;
}

bool Window::forget(std::uint64_t waiter) {
  Granted unused;  // freed without the lock
  {
    const std::lock_guard lock(mutex_);
    const auto found = std::find_if(queue_.begin(), queue_.end(), [&](const Waiter& one) { return one.number == waiter; });
    if (found == queue_.end()) return false;
    unused = std::move(found->granted);
    queue_.erase(found);
    waiting_.fetch_sub(1);
  }
  grant();  // who comes after may want less
  return true;
}

void Window::release(std::size_t tasks) {
  used_.fetch_sub(tasks);
  if (waiting_.load() > 0) grant();
}

void Window::set_limit(std::uint64_t limit) {
  limit_.store(limit);
  grant();
}

void Window::grant() {
  std::vector<Granted> served;
  {
    const std::lock_guard lock(mutex_);
    while (!queue_.empty() && take(queue_.front().tasks)) {
      served.push_back(std::move(queue_.front().granted));
      queue_.pop_front();
      waiting_.fetch_sub(1);
    }
  }
  for (auto& granted : served) granted(true);
}

void Window::close() {
  std::list<Waiter> sent_away;
  {
    const std::lock_guard lock(mutex_);
    closed_ = true;
    sent_away.swap(queue_);
    waiting_.store(0);
  }
  for (auto& waiter : sent_away) waiter.granted(false);
}

}  // namespace covey::client
