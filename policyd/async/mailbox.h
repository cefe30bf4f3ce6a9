// Work for the loop, handed in by other threads: `call` runs a task on the loop's thread and waits
// for what it yields.
//
//   auto usage = mailbox.call<Usage>([&] { return store.usage(account); },
//   std::chrono::seconds(10));
//
// Everything of a loop is touched by its own thread alone; this is the way in for all others. The
// loop never waits for a caller. A call yields nothing where the loop did not get to it in time, or
// the mailbox was closed meanwhile. A task that has begun goes on without a caller that left, so
// that no change is left half done; one that has not begun by then never does.
#pragma once

#include <condition_variable>
#include <functional>
#include <list>
#include <memory>
#include <mutex>
#include <optional>
#include <utility>
#include <uv.h>
#include <vector>

#include "policyd/async/task.h"
#include "shared/clock.h"

namespace policyd {

class Mailbox {
 public:
  explicit Mailbox(uv_loop_t* loop);
  // On the loop's thread, once no other thread can call any more.
  ~Mailbox();
  Mailbox(const Mailbox&) = delete;
  Mailbox& operator=(const Mailbox&) = delete;

  // On the loop's thread. Drops what is under way and takes nothing more; every caller that waits
  // is sent away at once.
  void close();

  // On any thread but the loop's. `work` and what it holds are kept until its task has ended.
  template <class T>
  std::optional<T> call(std::function<Task<T>()> work, Milliseconds limit) {
    auto slot = std::make_shared<Slot<T>>();
    // The job alone holds the sender: wherever the job goes, the caller is told.
    post([work = std::move(work), sender = std::make_shared<Sender<T>>(slot)] {
      return run(work, sender);
    });
    return slot->wait(limit);
  }

 private:
  using Job = std::function<Task<void>()>;

  // Where a caller waits.
  template <class T>
  class Slot {
   public:
    std::optional<T> wait(Milliseconds limit) {
      std::unique_lock lock(mutex_);
      changed_.wait_for(lock, limit, [this] { return over_; });
      left_ = true;
      return std::move(value_);
    }
    void end(std::optional<T> value) {
      const std::lock_guard lock(mutex_);
      if (std::exchange(over_, true)) return;
      value_ = std::move(value);
      changed_.notify_one();
    }
    [[nodiscard]] bool left() {
      const std::lock_guard lock(mutex_);
      return left_;
    }

   private:
    std::mutex mutex_;
    std::condition_variable changed_;
    std::optional<T> value_;
    bool over_ = false;
    bool left_ = false;
  };

  template <class T>
  struct Sender {
    explicit Sender(std::shared_ptr<Slot<T>> to) : slot(std::move(to)) {}
    ~Sender() { slot->end(std::nullopt); }
    Sender(const Sender&) = delete;
    Sender& operator=(const Sender&) = delete;
    std::shared_ptr<Slot<T>> slot;
  };

  template <class T>
  static Task<void> run(std::function<Task<T>()> work, std::shared_ptr<Sender<T>> sender) {
    if (sender->slot->left()) co_return;
    const Task<T> task = work();
    T value = co_await task;
    sender->slot->end(std::move(value));
  }

  void post(Job job);
  void start_arrived();

  std::mutex mutex_;
  std::vector<Job> arrived_;    // under mutex_
  uv_async_t* wake_ = nullptr;  // under mutex_; null: closed
  std::list<Task<void>> running_;
};

}  // namespace policyd
