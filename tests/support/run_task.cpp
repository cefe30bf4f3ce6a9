#include "tests/support/run_task.h"

namespace policyd::test {

namespace {

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
          state.expired = ++state.ticks * TestLoop::kTick >= TestLoop::kPatience;
        },
        TestLoop::kTick, TestLoop::kTick);
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

}  // namespace

TestLoop::TestLoop() {
  uv_loop_init(&loop_);
}

TestLoop::~TestLoop() {
  uv_run(&loop_, UV_RUN_DEFAULT);  // lets the handles that are closing end
  const int closed = uv_loop_close(&loop_);
  CHECK_MESSAGE(closed == 0, "a handle or a request was left on the loop");
}

void TestLoop::turn_until(const std::function<bool()>& holds) {
  Watchdog watchdog(&loop_);
  while (!holds() && !watchdog.expired()) uv_run(&loop_, UV_RUN_ONCE);
  REQUIRE_MESSAGE(holds(), "what the test waits for did not come");
}

}  // namespace policyd::test
