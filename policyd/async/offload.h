// Runs a blocking function on libuv's thread pool and waits for it without holding up the loop.
//
//   auto written = co_await offload<Result<void>>(loop, [..] { return file.write(..); });
//
// The function must not touch what the loop's thread uses. A task that is dropped while it waits lets the function run
// to its end and throws the result away.
#pragma once

#include <uv.h>

#include <coroutine>
#include <functional>
#include <memory>
#include <optional>
#include <utility>

namespace policyd {

template <class T>
class Offload {
 public:
  Offload(uv_loop_t* loop, std::function<T()> work) : job_(new Job{{}, std::move(work), {}, {}, false}), loop_(loop) {}
  Offload(const Offload&) = delete;
  Offload& operator=(const Offload&) = delete;
  ~Offload() {
    if (!started_ || job_->finished) {
      delete job_;
    } else {
      job_->waiter = nullptr;
      job_->orphaned = true;
    }
  }

  bool await_ready() const noexcept { return false; }
  void await_suspend(std::coroutine_handle<> waiter) {
    job_->waiter = waiter;
    job_->request.data = job_;
    started_ = true;
    uv_queue_work(
        loop_, &job_->request,
        [](uv_work_t* request) {
          auto* job = static_cast<Job*>(request->data);
          job->result.emplace(job->work());
        },
        [](uv_work_t* request, int) {
          auto* job = static_cast<Job*>(request->data);
          if (job->orphaned) {
            delete job;
            return;
          }
          job->finished = true;
          job->waiter.resume();  // may free the job
        });
  }
  T await_resume() { return std::move(*job_->result); }

 private:
  struct Job {
    uv_work_t request;
    std::function<T()> work;
    std::optional<T> result;
    std::coroutine_handle<> waiter;
    bool finished = false;
    bool orphaned = false;
  };
  Job* job_;
  uv_loop_t* loop_;
  bool started_ = false;
};

}  // namespace policyd
