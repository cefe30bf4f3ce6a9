// Task<T>: a coroutine that is started by co_await and yields a T.
//
// One thread, one loop. A task runs at once until it first has to wait; if it never waits, awaiting it costs no
// suspension and no stack (the awaiter goes on in its own frame). Dropping a task that waits destroys its frame: every
// awaitable of this project takes itself off its event source in its destructor. Exceptions are for bugs: one that
// leaves a task ends the program.
//
// Rule for callers: co_await a task that was made from named variables, never from braced temporaries (the
// compilers of 2022 destroy those twice).
#pragma once

#include <coroutine>
#include <exception>
#include <optional>
#include <utility>

#include "policyd/async/frame_pool.h"

namespace policyd {

template <class T>
class Task;

namespace detail {

class PromiseBase {
 public:
  static void* operator new(size_t size) { return FramePool::take(size); }
  static void operator delete(void* frame, size_t size) { FramePool::give(frame, size); }

  std::suspend_always initial_suspend() noexcept { return {}; }
  void unhandled_exception() noexcept { std::terminate(); }

  struct FinalAwaiter {
    bool await_ready() noexcept { return false; }
    template <class Promise>
    std::coroutine_handle<> await_suspend(std::coroutine_handle<Promise> self) noexcept {
      // The awaiter may destroy this frame as it goes on, so nothing of it is touched afterwards.
      auto waiter = std::exchange(self.promise().waiter_, nullptr);
      return waiter ? waiter : std::noop_coroutine();
    }
    void await_resume() noexcept {}
  };
  FinalAwaiter final_suspend() noexcept { return {}; }

  std::coroutine_handle<> waiter_;  // set once the awaiter is really suspended
};

template <class T>
class Promise final : public PromiseBase {
 public:
  Task<T> get_return_object() noexcept;
  template <class U>
  void return_value(U&& value) {
    value_.emplace(std::forward<U>(value));
  }
  T take() { return std::move(*value_); }

 private:
  std::optional<T> value_;
};

template <>
class Promise<void> final : public PromiseBase {
 public:
  Task<void> get_return_object() noexcept;
  void return_void() noexcept {}
  void take() noexcept {}
};

}  // namespace detail

template <class T>
class [[nodiscard]] Task {
 public:
  using promise_type = detail::Promise<T>;

  explicit Task(std::coroutine_handle<promise_type> frame) noexcept : frame_(frame) {}
  Task(Task&& other) noexcept : frame_(std::exchange(other.frame_, nullptr)) {}
  Task& operator=(Task&& other) noexcept {
    if (this != &other) {
      drop();
      frame_ = std::exchange(other.frame_, nullptr);
    }
    return *this;
  }
  ~Task() { drop(); }

  struct Awaiter {
    std::coroutine_handle<promise_type> frame;
    bool await_ready() const {
      frame.resume();  // runs until it waits or ends
      return frame.done();
    }
    void await_suspend(std::coroutine_handle<> waiter) const noexcept {
      frame.promise().waiter_ = waiter;
    }
    T await_resume() const { return frame.promise().take(); }
  };
  Awaiter operator co_await() const& noexcept { return Awaiter{frame_}; }

  // For those who drive a task by hand (gather, tests): start() runs it until it waits or ends.
  void start() const { frame_.resume(); }
  [[nodiscard]] bool done() const { return frame_.done(); }
  void when_done(std::coroutine_handle<> waiter) const { frame_.promise().waiter_ = waiter; }
  T result() const { return frame_.promise().take(); }

 private:
  void drop() {
    if (frame_) frame_.destroy();
    frame_ = nullptr;
  }
  std::coroutine_handle<promise_type> frame_;
};

template <class T>
Task<T> detail::Promise<T>::get_return_object() noexcept {
  return Task<T>(std::coroutine_handle<Promise>::from_promise(*this));
}
inline Task<void> detail::Promise<void>::get_return_object() noexcept {
  return Task<void>(std::coroutine_handle<Promise>::from_promise(*this));
}

// co_await EndOf{task}: until a task that somebody else has started, and keeps, has ended; nothing where there is none.
struct EndOf {
  const std::optional<Task<void>>& task;
  bool await_ready() const noexcept { return !task || task->done(); }
  void await_suspend(std::coroutine_handle<> waiter) const noexcept { task->when_done(waiter); }
  void await_resume() const noexcept {}
};

// A task that nobody awaits: it starts at once and frees itself at its end. What it uses must outlive it.
struct Detached {
  struct promise_type {
    Detached get_return_object() noexcept { return {}; }
    std::suspend_never initial_suspend() noexcept { return {}; }
    std::suspend_never final_suspend() noexcept { return {}; }
    void return_void() noexcept {}
    void unhandled_exception() noexcept { std::terminate(); }
  };
};
inline Detached spawn(Task<void> task) { co_await task; }

}  // namespace policyd
