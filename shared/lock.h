// A lock: what a sign of a hijack, or a person, puts on an account; nothing it sends is taken until the lock ends or is
// lifted. And the history of an account's locks.
//
// Pure values, shared by the stores, the engine, the admin API and policyctl. How locks are stored in Redis:
// policyd-redis(7).
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "shared/clock.h"

namespace policyd {

struct Lock {
  std::string account;
  std::string reason;             // the sign, "distinct_recipients", or a person's words
  std::string evidence;           // "distinct_recipients 501 in 1d, limit 500/1d"; empty: none
  std::optional<WallTime> since;  // none: made by hand, in Redis
  std::optional<WallTime> until;  // none: until it is lifted
  int64_t unlocks = 0;            // how many locks of the account have ended by themselves before this one
  std::string by;                 // "policyd", or who made it
  std::string node;               // where

  [[nodiscard]] bool in_force(WallTime now) const { return !until || *until > now; }

  // The fields of the Redis hash and of the JSON form, without the account; empty ones left out. Times are RFC 3339 in
  // UTC, of whole seconds: the end of a lock is rounded up.
  [[nodiscard]] std::map<std::string, std::string> fields() const;
  // The opposite; what cannot be used is told in `warning` and left out: a slip of the pen must not lift a lock.
  static Lock from_fields(std::string account, const std::map<std::string, std::string>& fields, std::string* warning);
  bool operator==(const Lock&) const = default;
};

// What happened to the locks of an account.
struct LockEvent {
  enum class Kind : uint8_t { locked, ended, lifted } kind = Kind::locked;
  WallTime at{};
  std::string by;  // who made or lifted it; empty: it ended by itself
  Lock lock;
  bool operator==(const LockEvent&) const = default;
};
std::string_view lock_event_name(LockEvent::Kind kind);
std::optional<LockEvent::Kind> parse_lock_event(std::string_view name);

// Who makes locks by itself, as Lock::by.
inline constexpr std::string_view kPolicydItself = "policyd";

}  // namespace policyd
