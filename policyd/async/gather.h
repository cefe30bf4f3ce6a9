// Runs several tasks side by side until all have ended or a deadline has come.
//
// Tasks that never wait cost no timer. What has not ended by the deadline is dropped (its frame destroyed) and has no
// result.
#pragma once

#include <algorithm>
#include <coroutine>
#include <optional>
#include <vector>

#include "policyd/async/task.h"
#include "policyd/async/timer.h"

namespace policyd {

namespace detail {

// Suspends until any task ends or `wake` is resumed; both happen outside of the frames that may then be dropped.
template <class T>
struct AnyOf {
  const std::vector<Task<T>>& tasks;
  std::coroutine_handle<>& wake;
  bool await_ready() const noexcept { return false; }
  void await_suspend(std::coroutine_handle<> waiter) const noexcept {
    wake = waiter;
    for (const auto& task : tasks) {
      if (!task.done()) task.when_done(waiter);
    }
  }
  void await_resume() const noexcept { wake = nullptr; }
};

}  // namespace detail

// The results in the order of `tasks`; nothing where a task was still waiting after `limit`. `waited` is told the
// place of each task that did not end at once: when it ends, or at the limit.
template <class T, class Waited>
Task<std::vector<std::optional<T>>> gather(uv_loop_t* loop, std::vector<Task<T>> tasks, Milliseconds limit,
                                           Waited waited) {
  for (const auto& task : tasks) task.start();
  const auto all_done = [&tasks] {
    return std::all_of(tasks.begin(), tasks.end(), [](const auto& task) { return task.done(); });
  };
  if (!all_done()) {
    std::vector<size_t> waiting;
    for (size_t i = 0; i < tasks.size(); ++i) {
      if (!tasks[i].done()) waiting.push_back(i);
    }
    bool expired = false;
    std::coroutine_handle<> wake;
    Timer timer(loop, [&expired, &wake] {
      expired = true;
      if (wake) wake.resume();
    });
    timer.once(limit);
    detail::AnyOf<T> any_of{tasks, wake};
    while (!expired && !waiting.empty()) {
      co_await any_of;
      std::erase_if(waiting, [&](size_t i) {
        const bool over = expired || tasks[i].done();
        if (over) waited(i);
        return over;
      });
    }
  }
  std::vector<std::optional<T>> results(tasks.size());
  for (size_t i = 0; i < tasks.size(); ++i) {
    if (tasks[i].done()) results[i].emplace(tasks[i].result());
  }
  co_return results;
}

template <class T>
Task<std::vector<std::optional<T>>> gather(uv_loop_t* loop, std::vector<Task<T>> tasks, Milliseconds limit) {
  return gather(loop, std::move(tasks), limit, [](size_t) {});
}

}  // namespace policyd
