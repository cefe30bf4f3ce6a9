// A signal of the process, delivered in the loop. It does not keep the loop running.
#pragma once

#include <uv.h>

#include <functional>
#include <utility>

namespace policyd {

class Signal {
 public:
  Signal(uv_loop_t* loop, int number, std::function<void()> action)
      : action_(std::move(action)), handle_(new uv_signal_t) {
    uv_signal_init(loop, handle_);
    handle_->data = this;
    uv_signal_start(
        handle_, [](uv_signal_t* handle, int) { static_cast<Signal*>(handle->data)->action_(); }, number);
    uv_unref(reinterpret_cast<uv_handle_t*>(handle_));
  }
  ~Signal() {
    uv_signal_stop(handle_);
    uv_close(reinterpret_cast<uv_handle_t*>(handle_),
             [](uv_handle_t* handle) { delete reinterpret_cast<uv_signal_t*>(handle); });
  }
  Signal(const Signal&) = delete;
  Signal& operator=(const Signal&) = delete;

 private:
  std::function<void()> action_;
  uv_signal_t* handle_;
};

}  // namespace policyd
