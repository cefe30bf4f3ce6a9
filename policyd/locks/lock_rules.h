// How long a lock lasts, and what becomes of an account's locks: the rules that every store keeps to. Pure.
//
// A lock in force stays as it is, unless it is to be replaced. A new one lasts the time asked for, and has no end once
// the locks of the account have ended by themselves often enough. One whose time is over counts as such an end; a
// person who lifts a lock begins the count at 0 again.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "shared/clock.h"
#include "shared/lock.h"

namespace policyd {

// How long ends are counted after the last one, and the history is kept.
inline constexpr Milliseconds kLocksRemembered = std::chrono::days(90);
inline constexpr size_t kLockEvents = 100;  // of an account, the newest

struct LockRequest {
  std::string account;
  std::string reason;
  std::string evidence;
  std::string by;
  std::string node;
  std::optional<Milliseconds> lock_time;  // none: until it is lifted
  std::optional<int64_t> max_unlocks;     // after so many ends it has none; none: however often
  bool replace = false;                   // takes the place of a lock that is in force
  bool at_all_costs = false;              // with the store away it is in force here, and written when that is back
};

// What a store knows of the locks of one account.
struct LockRecord {
  std::optional<Lock> lock;       // in force, or over and not ended yet
  int64_t unlocks = 0;            // ends, since a person last lifted a lock
  std::optional<WallTime> ended;  // the last end
  std::vector<LockEvent> events;  // oldest first, at most kLockEvents
  [[nodiscard]] bool empty() const { return !lock && unlocks == 0 && events.empty(); }
};

// The lock that `request` asks for, after so many ends.
Lock make_lock(const LockRequest& request, int64_t unlocks, WallTime now);

// The three things that happen to locks. Each leaves a record that is as it should be at `now`.
//
// True: it was made; else the one in force stays.
bool lock(LockRecord& record, const LockRequest& request, WallTime now);
// The lock that was in force; none: there was none, and the count begins at 0 all the same.
std::optional<Lock> unlock(LockRecord& record, const std::string& by, WallTime now);
// The lock whose time was over.
std::optional<Lock> end_lock(LockRecord& record, WallTime now);

// Drops what is too old to be remembered.
void forget_old(LockRecord& record, WallTime now);

}  // namespace policyd
