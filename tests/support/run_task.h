// A loop for tests: runs tasks to their end, and sees that nothing of libuv is left over when the test ends.
//
// A task that does not end within kPatience fails the test; that is for hangs only, no test depends on it.
#pragma once

#include <doctest/doctest.h>
#include <uv.h>

#include <functional>
#include <utility>

#include "policyd/async/task.h"

namespace policyd::test {

class TestLoop {
 public:
  static constexpr uint64_t kPatience = 30'000;  // ms
  static constexpr uint64_t kTick = 10;          // ms

  TestLoop();
  ~TestLoop();
  TestLoop(const TestLoop&) = delete;
  TestLoop& operator=(const TestLoop&) = delete;

  operator uv_loop_t*() { return &loop_; }

  // Runs the loop until `task` has ended.
  template <class T>
  T run(Task<T> task) {
    task.start();
    turn_until([&task] { return task.done(); });
    return task.result();
  }

  // Runs the loop until `holds()`.
  void turn_until(const std::function<bool()>& holds);

 private:
  uv_loop_t loop_{};
};

}  // namespace policyd::test
