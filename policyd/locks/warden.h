// Locks accounts at the sign of a hijack, and ends locks whose time is over; whatever happens to a lock goes through
// here, is logged in one line and told to whoever listens for events.
//
// The decision that found a sign never waits: the store is asked behind its back, once for each account at a time and
// not while a lock is in force. One node alone is told by the store that a lock has ended, so that it is told once.
// The store's own trouble is the store's to tell; a lock that it cannot even keep in memory is one error line.
#pragma once

#include <optional>
#include <set>
#include <string>
#include <string_view>

#include "policyd/account_policies.h"
#include "policyd/async/task.h"
#include "policyd/async/timer.h"
#include "policyd/notify/event_sink.h"
#include "policyd/store/mirror.h"
#include "policyd/store/store.h"

struct uv_loop_s;

namespace policyd {

class Warden {
 public:
  static constexpr Milliseconds kPeriod{1'000};

  // All of it outlives the warden. `events` may be null: then nobody listens. `node` is this one's name.
  Warden(uv_loop_s* loop, Store& store, const Mirror& mirror, EventSink* events, std::string node);

  // Begins to end locks, every kPeriod.
  void start();
  // Ends no more locks. What is under way goes on until it is idle().
  void stop();
  [[nodiscard]] bool idle() const { return asking_.empty() && !ending_; }

  // A charge said that `sign` is gone over, `used` being in its window: locks the account where its policy says so.
  void notice(std::string_view account, const Limit& sign, int64_t used, const AccountPolicy& policy);
  // What a person asks for.
  Task<Result<LockOutcome>> lock(LockRequest request);
  Task<Result<std::optional<Lock>>> unlock(std::string account, std::string by);
  // Ends the locks whose time is over.
  Task<void> end_locks();

 private:
  Task<void> lock_for_a_sign(LockRequest request);
  void tell(EventKind kind, const Lock& lock, const std::string& text);

  Store& store_;
  const Mirror& mirror_;
  EventSink* const events_;
  const std::string node_;
  std::set<std::string, std::less<>> asking_;  // accounts that the store is being asked to lock
  bool ending_ = false;
  bool failing_ = false;  // the last lock for a sign could not be made; the log has said so
  Timer timer_;
};

// As a Lock's evidence: "distinct_recipients 501 in 1d, limit 500/1d".
std::string evidence_of(const Limit& sign, int64_t used);

}  // namespace policyd
