#include "policyd/async/mailbox.h"

namespace policyd {

Mailbox::Mailbox(uv_loop_t* loop) : wake_(new uv_async_t) {
  const auto on_wake = [](uv_async_t* handle) {
    if (auto* self = static_cast<Mailbox*>(handle->data)) self->start_arrived();
  };
  if (uv_async_init(loop, wake_, on_wake) < 0)
    std::abort();  // no descriptors left before the first request
  uv_unref(reinterpret_cast<uv_handle_t*>(wake_));
  wake_->data = this;
}

Mailbox::~Mailbox() {
  close();
}

void Mailbox::close() {
  std::vector<Job> refused;
  {
    const std::lock_guard lock(mutex_);
    if (!wake_) return;
    wake_->data = nullptr;
    uv_close(reinterpret_cast<uv_handle_t*>(std::exchange(wake_, nullptr)),
             [](uv_handle_t* handle) { delete reinterpret_cast<uv_async_t*>(handle); });
    refused.swap(arrived_);
  }
  running_.clear();
}

// A job that is not taken is destroyed here, which sends its caller away.
void Mailbox::post(Job job) {
  const std::lock_guard lock(mutex_);
  if (!wake_) return;
  arrived_.push_back(std::move(job));
  uv_async_send(wake_);
}

// Also frees the tasks that ended since: a task cannot free itself, so each of them would like one
// more wake-up, but there are never more of them than callers.
void Mailbox::start_arrived() {
  std::vector<Job> jobs;
  {
    const std::lock_guard lock(mutex_);
    jobs.swap(arrived_);
  }
  running_.remove_if([](const Task<void>& task) { return task.done(); });
  for (const Job& job : jobs) {
    Task<void> task = job();
    task.start();
    if (!task.done()) running_.push_back(std::move(task));
  }
}

}  // namespace policyd
