// A timer of the loop, once or repeating. Destroying it stops it; libuv's handle is freed in its close callback.
//
// A timer alone does not keep the loop running. It is as exact as the loop's time: never early.
#pragma once

#include <uv.h>

#include <functional>
#include <utility>

#include "shared/clock.h"

namespace policyd {

class Timer {
 public:
  Timer(uv_loop_t* loop, std::function<void()> action) : action_(std::move(action)), handle_(new uv_timer_t) {
    uv_timer_init(loop, handle_);
    uv_unref(reinterpret_cast<uv_handle_t*>(handle_));
    handle_->data = this;
  }
  ~Timer() {
    handle_->data = nullptr;
    uv_close(reinterpret_cast<uv_handle_t*>(handle_),
             [](uv_handle_t* handle) { delete reinterpret_cast<uv_timer_t*>(handle); });
  }
  Timer(const Timer&) = delete;
  Timer& operator=(const Timer&) = delete;

  void once(Milliseconds delay) { start(delay, Milliseconds{0}); }
  void every(Milliseconds period) { start(period, period); }
  void stop() { uv_timer_stop(handle_); }
  [[nodiscard]] bool active() const { return uv_is_active(reinterpret_cast<const uv_handle_t*>(handle_)) != 0; }

 private:
  void start(Milliseconds delay, Milliseconds period) {
    // The loop's time may be old by what this turn has cost so far.
    uv_update_time(handle_->loop);
    uv_timer_start(
        handle_,
        [](uv_timer_t* handle) {
          auto* self = static_cast<Timer*>(handle->data);
          if (!self) return;
          const auto action = self->action_;  // it may destroy the timer
          action();
        },
        static_cast<uint64_t>(delay.count()), static_cast<uint64_t>(period.count()));
  }

  std::function<void()> action_;
  uv_timer_t* handle_;
};

}  // namespace policyd
