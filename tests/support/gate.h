// A gate that tasks of a test wait at until it is opened: what is slow, in the hands of the test.
//
//   auto passing = gate.pass();
//   co_await passing;
#pragma once

#include <coroutine>
#include <vector>

namespace policyd::test {

class Gate {
 public:
  class Passing {
   public:
    explicit Passing(Gate& gate) : gate_(gate) {}
    ~Passing() { std::erase(gate_.waiting_, waiter_); }  // a task that is dropped does not wait any more
    Passing(const Passing&) = delete;
    Passing& operator=(const Passing&) = delete;

    bool await_ready() const noexcept { return gate_.open_; }
    void await_suspend(std::coroutine_handle<> waiter) {
      waiter_ = waiter;
      gate_.waiting_.push_back(waiter);
    }
    void await_resume() const noexcept {}

   private:
    Gate& gate_;
    std::coroutine_handle<> waiter_;
  };
  Passing pass() { return Passing(*this); }

  // Lets all that wait go on, in the order in which they came, and whoever comes later.
  void open() {
    open_ = true;
    while (!waiting_.empty()) {
      const auto first = waiting_.front();
      waiting_.erase(waiting_.begin());
      first.resume();
    }
  }
  void close() { open_ = false; }
  [[nodiscard]] size_t waiting() const { return waiting_.size(); }

 private:
  bool open_ = false;
  std::vector<std::coroutine_handle<>> waiting_;
};

}  // namespace policyd::test
