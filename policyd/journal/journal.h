// The journal: gives every DEFER, HOLD and REJECT an id that stands in its text, and hands what led to it to the store.
//
// record() never waits and never fails: it copies what it needs into a queue. From there it is handed over a few
// times a second, batch by batch; the texts are made on the thread pool. What the store does not take waits here;
// beyond a bound the oldest goes and is counted. A store that is away tells that itself; one log line says that it
// refuses the journal, one that it takes it again or how much was lost. A recipient that is asked about again with the
// same outcome (other restriction lists) gets its first id and no second entry.
#pragma once

#include <deque>
#include <memory>
#include <optional>
#include <string>

#include "policyd/async/task.h"
#include "policyd/async/timer.h"
#include "policyd/async/waiters.h"
#include "policyd/journal/entry.h"
#include "policyd/journal/id.h"
#include "policyd/journal/redact.h"
#include "policyd/journal/rows.h"
#include "policyd/recent_table.h"
#include "policyd/store/store.h"
#include "policyd/verdict.h"
#include "shared/clock.h"
#include "shared/config.h"
#include "shared/request.h"

struct uv_loop_s;

namespace policyd {

// Counted since start, for status and metrics.
struct JournalStatus {
  bool enabled = false;
  uint64_t written = 0;  // rows
  uint64_t waiting = 0;
  uint64_t lost = 0;     // too many to wait
  std::string trouble;   // why it cannot be written; empty: it can
};

class Journal {
 public:
  static constexpr Milliseconds kPeriod{200};
  static constexpr Milliseconds kPause{1'000};  // after the store did not take a batch
  static constexpr size_t kBatch = 100;         // rows: neither the loop nor the store is held up by more
  static constexpr size_t kMostMemory = size_t{64} << 20;

  // All of it outlives the journal.
  Journal(uv_loop_s* loop, const Clock& clock, Store& store, std::string node, size_t most_memory = kMostMemory);

  void reconfigure(const Config::Journal& settings);
  // Begins to hand over every kPeriod.
  void start();
  // For a live verdict that is a DEFER, a HOLD or a REJECT: its id, in its text too, and its entry.
  void record(const Request& request, Verdict& verdict) noexcept;
  // For every live request: the queue id of a message that was held, once it has one.
  void note_queue_id(const Request& request) noexcept;
  // Until all that is there now has been handed over, or is lost, or cannot be: where that is under way, once that has
  // ended. What is recorded meanwhile is not waited for.
  Task<void> hand_over();
  // The last time; nothing is recorded any more.
  Task<void> stop();

  [[nodiscard]] JournalStatus status() const;
  // For those who read it.
  [[nodiscard]] uv_loop_s* loop() const { return loop_; }
  [[nodiscard]] const Config::Journal& settings() const { return settings_; }
  // What hashes what is asked for; null where there is no key.
  [[nodiscard]] const std::shared_ptr<const Redactor>& redactor() const { return redactor_; }

 private:
  struct Held {
    bool told = false;
  };
  [[nodiscard]] uint64_t message_key(const Request& request) const;
  [[nodiscard]] uint64_t decision_key(const Request& request, const Verdict& verdict) const;
  void note_held(const Request& request);
  void enqueue(JournalRecord record);
  void tick();
  [[nodiscard]] uint64_t settled() const;
  Task<void> hand_over_until(uint64_t last);
  Task<void> make_rows();
  void note(const Result<void>& added);

  static constexpr size_t kDecisions = 8 * 1024, kMessages = 4 * 1024, kWays = 8;

  uv_loop_s* loop_;
  const Clock& clock_;
  Store& store_;
  const std::string node_;
  const size_t most_memory_;
  Config::Journal settings_{};
  std::shared_ptr<const Redactor> redactor_;
  const uint64_t seed_ = random_seed();
  JournalIds ids_;
  RecentTable<JournalId, kDecisions / kWays, kWays> decisions_;
  RecentTable<Held, kMessages / kWays, kWays> held_;
  std::deque<JournalRecord> queue_;
  uint64_t queued_ = 0;              // records since start: each has the number that this became with it
  uint64_t before_batch_ = 0;        // the number of the last that was settled before batch_ was made
  size_t memory_ = 0;                // of queue_
  size_t making_ = 0;                // records that rows are being made of
  std::vector<JournalRow> batch_;    // out of the queue, and not known to have been taken by the store
  uint64_t written_ = 0, lost_ = 0;
  uint64_t told_lost_ = 0;           // of lost_, what the log has said
  std::string trouble_;
  bool refused_ = false;             // the log has said so
  bool holding_ = false;             // there is something in held_
  SteadyTime pause_until_{};
  bool busy_ = false;
  Waiters idle_;  // who waits for the end of what is under way
  std::optional<Task<void>> running_;
  Timer timer_;
};

}  // namespace policyd
