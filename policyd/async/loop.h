// The event loop's life: made, run, and closed with everything that still hangs on it.
#pragma once

#include <uv.h>

#include <cstdlib>
#include <functional>

#include "policyd/async/task.h"
#include "shared/signals_blocked.h"

namespace policyd {

// Turns a loop until `reached`, for the time before and after serving.
inline void run_loop_until(uv_loop_t* loop, const std::function<bool()>& reached) {
  uv_timer_t tick;  // so that there is always something to wait for
  uv_timer_init(loop, &tick);
  uv_timer_start(&tick, [](uv_timer_t*) {}, 0, 10);
  while (!reached()) uv_run(loop, UV_RUN_ONCE);
  bool closed = false;
  tick.data = &closed;
  const auto tell = [](uv_handle_t* handle) { *static_cast<bool*>(handle->data) = true; };
  uv_close(reinterpret_cast<uv_handle_t*>(&tick), tell);
  while (!closed) uv_run(loop, UV_RUN_NOWAIT);
}

class Loop {
 public:
  Loop() {
    if (uv_loop_init(&loop_) != 0) std::abort();
    start_thread_pool();
  }
  // Owners have closed their handles by now; their close callbacks still have to run.
  ~Loop() {
    uv_run(&loop_, UV_RUN_DEFAULT);
    if (uv_loop_close(&loop_) != 0) std::abort();  // somebody kept a handle
  }
  Loop(const Loop&) = delete;
  Loop& operator=(const Loop&) = delete;

  uv_loop_t* get() { return &loop_; }
  // Until nothing is left that waits for the outside.
  void run() { uv_run(&loop_, UV_RUN_DEFAULT); }

  // Runs the loop until `task` has ended, for the time before and after serving.
  void run(Task<void> task) {
    task.start();
    run_until([&task] { return task.done(); });
  }
  void run_until(const std::function<bool()>& reached) { run_loop_until(&loop_, reached); }

 private:
  // libuv starts its pool at the first use: here, so that its threads take no signals.
  void start_thread_pool() {
    const SignalsBlocked blocked;
    uv_queue_work(&loop_, new uv_work_t, [](uv_work_t*) {}, [](uv_work_t* work, int) { delete work; });
  }

  uv_loop_t loop_;
};

}  // namespace policyd
