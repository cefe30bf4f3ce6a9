// Tells people: runs the command of [notify] for events, each as one JSON object on its standard input.
//
//   {"event": "limit", "account": "joe@example.com", "text": "...", "node": "mx1", "time": "2026-11-21T10:00:00Z",
//    "details": {...}}
//
// The same kind of event about the same account is told once in `quiet`, over all nodes (Store::claim; here it is
// remembered too, so that a flood of events costs next to nothing); but every lock and unlock, of which one node alone
// knows, is told. tell() only puts the event into a queue: commands
// are started from a timer, at most kMostRunning at a time and, as each start holds the loop up for a moment, one in
// kPace. A queue that is full takes no more; that is logged, as is every command that failed, with its exit status and
// the first line of its standard error.
#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <vector>

#include "policyd/async/process.h"
#include "policyd/async/task.h"
#include "policyd/async/timer.h"
#include "policyd/notify/event_sink.h"
#include "policyd/recent_table.h"
#include "policyd/store/store.h"
#include "shared/clock.h"
#include "shared/config.h"

namespace policyd {

class Notifier final : public EventSink {
 public:
  static constexpr size_t kMostWaiting = 1'000;
  static constexpr size_t kMostRunning = 4;
  static constexpr Milliseconds kPace{100};

  // All references outlive it.
  Notifier(uv_loop_s* loop, const Clock& clock, Store& store, std::string node, Config::Notify config);

  void tell(Event event) override;
  [[nodiscard]] bool wants(EventKind kind, std::string_view about) const override;

  void reconfigure(Config::Notify config) { config_ = std::move(config); }
  // Starts no more commands, and ends those that run.
  Task<void> stop();

  [[nodiscard]] size_t waiting() const { return queue_.size(); }
  [[nodiscard]] size_t running() const;

 private:
  struct Slot {
    std::optional<Task<void>> task;
    Process* process = nullptr;
    [[nodiscard]] bool busy() const { return task && !task->done(); }
  };
  struct Waiting {
    std::string what;  // it is about, as it is claimed: "limit:joe@example.com"
    bool repeats;      // only the first in `quiet` is told
    std::string json;
  };
  void schedule();
  void start_next();
  Task<void> run(Slot& slot, Waiting event);
  [[nodiscard]] uint64_t key_of(std::string_view what) const;
  [[nodiscard]] bool told(std::string_view what) const;
  void remember(std::string_view what);
  void log_end(const std::string& what, const ProcessEnd& end) const;

  uv_loop_s* loop_;
  const Clock& clock_;
  Store& store_;
  const std::string node_;
  Config::Notify config_;
  std::deque<Waiting> queue_;
  std::array<Slot, kMostRunning> slots_;
  // Until when an event of that kind and account has been told; which one it is says a hash.
  RecentTable<SteadyTime, 1024> quiet_until_;
  const uint64_t seed_ = random_seed();
  uint64_t dropped_ = 0;  // since the queue was full
  bool stopping_ = false;
  SteadyTime next_at_{};  // no command is started before
  Timer next_;
};

}  // namespace policyd
