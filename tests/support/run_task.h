// A loop for tests: runs tasks to their end, and sees that nothing of libuv is left over when the test ends.
//
// A task that does not end within kPatience fails the test; that is for hangs only, no test depends on it.
#pragma once

#include <doctest/doctest.h>
#include <uv.h>

#include <utility>

#include "policyd/async/task.h"

namespace policyd::test {

class TestLoop {
 public:
  static constexpr uint64_t kPatience = 30'000;  // ms
  static constexpr uint64_t kTick = 10;          // ms

  TestLoop() { uv_loop_init(&loop_); }
  ~TestLoop() {
    uv_run(&loop_, UV_RUN_DEFAULT);  // lets the handles that are closing end
    const int closed = uv_loop_close(&loop_);
    CHECK_MESSAGE(closed == 0, "a handle or a request was left on the loop");
  }
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
  template <class Condition>
  void turn_until(Condition holds) {
    Watchdog watchdog(&loop_);
    while (!holds() && !watchdog.expired()) uv_run(&loop_, UV_RUN_ONCE);
    REQUIRE_MESSAGE(holds(), "what the test waits for did not come");
  }

 private:
  // Keeps the loop turning, as the timers of the project alone do not, also for what only the outside knows (a process
  // that is gone, a file that is there); and ends a wait for ever.
  class Watchdog {
   public:
    explicit Watchdog(uv_loop_t* loop) : timer_(new State) {
      uv_timer_init(loop, &timer_->handle);
      uv_timer_start(
          &timer_->handle,
          [](uv_timer_t* handle) {
            State& state = *reinterpret_cast<State*>(handle);
            state.expired = ++state.ticks * kTick >= kPatience;
          },
          kTick, kTick);
    }
    ~Watchdog() {
      uv_close(reinterpret_cast<uv_handle_t*>(&timer_->handle),
               [](uv_handle_t* handle) { delete reinterpret_cast<State*>(handle); });
    }
    Watchdog(const Watchdog&) = delete;
    Watchdog& operator=(const Watchdog&) = delete;
    [[nodiscard]] bool expired() const { return timer_->expired; }

   private:
    struct State {
      uv_timer_t handle;
      uint64_t ticks = 0;
      bool expired = false;
    };
    State* timer_;
  };

  uv_loop_t loop_{};
};

}  // namespace policyd::test
