// Tasks that wait for one and the same thing, until it is said that it has happened.
//
//   auto waiting = waiters.wait();
//   co_await waiting;
//
// One that is dropped does not wait any more.
#pragma once

#include <coroutine>
#include <vector>

namespace policyd {

class Waiters {
 public:
  class Waiting {
   public:
    explicit Waiting(Waiters& waiters) : waiters_(waiters) {}
    ~Waiting() { std::erase(waiters_.waiting_, waiter_); }
    Waiting(const Waiting&) = delete;
    Waiting& operator=(const Waiting&) = delete;

    bool await_ready() const noexcept { return false; }
    void await_suspend(std::coroutine_handle<> waiter) {
      waiter_ = waiter;
      waiters_.waiting_.push_back(waiter);
    }
    void await_resume() const noexcept {}

   private:
    Waiters& waiters_;
    std::coroutine_handle<> waiter_;
  };
  Waiting wait() { return Waiting(*this); }

  // Lets those go on that wait now, in the order in which they came; who waits again meanwhile, may go on as well.
  void wake() {
    for (size_t count = waiting_.size(); count > 0 && !waiting_.empty(); --count) {
      const auto first = waiting_.front();
      waiting_.erase(waiting_.begin());
      first.resume();
    }
  }

 private:
  std::vector<std::coroutine_handle<>> waiting_;
};

}  // namespace policyd
