// Calls a function at the end of every turn of the loop: before it waits for events and after it has handled them.
//
// For what is gathered during a turn and then done once: handing over log lines, writing a pipeline.
#pragma once

#include <uv.h>

#include <functional>
#include <utility>

namespace policyd {

class EachTurn {
 public:
  EachTurn(uv_loop_t* loop, std::function<void()> action)
      : handles_(new Handles{{}, {}, std::move(action), 2}) {
    uv_prepare_init(loop, &handles_->prepare);
    uv_check_init(loop, &handles_->check);
    handles_->prepare.data = handles_->check.data = handles_;
    uv_prepare_start(&handles_->prepare, [](uv_prepare_t* handle) { act(handle->data); });
    uv_check_start(&handles_->check, [](uv_check_t* handle) { act(handle->data); });
    uv_unref(reinterpret_cast<uv_handle_t*>(&handles_->prepare));
    uv_unref(reinterpret_cast<uv_handle_t*>(&handles_->check));
  }
  ~EachTurn() {
    uv_close(reinterpret_cast<uv_handle_t*>(&handles_->prepare), closed);
    uv_close(reinterpret_cast<uv_handle_t*>(&handles_->check), closed);
  }
  EachTurn(const EachTurn&) = delete;
  EachTurn& operator=(const EachTurn&) = delete;

 private:
  struct Handles {
    uv_prepare_t prepare;
    uv_check_t check;
    std::function<void()> action;
    int open;
  };
  static void act(void* handles) { static_cast<Handles*>(handles)->action(); }
  static void closed(uv_handle_t* handle) {
    auto* handles = static_cast<Handles*>(handle->data);
    if (--handles->open == 0) delete handles;
  }
  Handles* handles_;
};

}  // namespace policyd
