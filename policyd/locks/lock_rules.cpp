#include "policyd/locks/lock_rules.h"

#include <algorithm>
#include <utility>

namespace policyd {

namespace {

void add_event(LockRecord& record, LockEvent event) {
  record.events.push_back(std::move(event));
  if (record.events.size() > kLockEvents) record.events.erase(record.events.begin());
}

}  // namespace

Lock make_lock(const LockRequest& request, int64_t unlocks, WallTime now) {
  Lock lock;
  lock.account = request.account;
  lock.reason = request.reason;
  lock.evidence = request.evidence;
  lock.since = now;
  lock.unlocks = unlocks;
  lock.by = request.by;
  lock.node = request.node;
  const bool for_good = request.max_unlocks && unlocks >= *request.max_unlocks;
  // In whole seconds, as it is written down.
  if (request.lock_time && !for_good) lock.until = std::chrono::ceil<std::chrono::seconds>(now + *request.lock_time);
  return lock;
}

bool lock(LockRecord& record, const LockRequest& request, WallTime now) {
  forget_old(record, now);
  if (record.lock && !request.replace) return false;
  record.lock = make_lock(request, record.unlocks, now);
  add_event(record, {LockEvent::Kind::locked, now, request.by, *record.lock});
  return true;
}

std::optional<Lock> unlock(LockRecord& record, const std::string& by, WallTime now) {
  forget_old(record, now);
  record.unlocks = 0;
  record.ended.reset();
  std::optional<Lock> lifted = std::exchange(record.lock, std::nullopt);
  if (lifted) add_event(record, {LockEvent::Kind::lifted, now, by, *lifted});
  return lifted;
}

std::optional<Lock> end_lock(LockRecord& record, WallTime now) {
  if (!record.lock || record.lock->in_force(now)) return std::nullopt;
  std::optional<Lock> over = std::exchange(record.lock, std::nullopt);
  record.unlocks = over->unlocks + 1;
  record.ended = now;
  add_event(record, {LockEvent::Kind::ended, now, "", *over});
  return over;
}

void forget_old(LockRecord& record, WallTime now) {
  std::erase_if(record.events, [now](const LockEvent& event) { return event.at + kLocksRemembered <= now; });
  if (!record.ended || *record.ended + kLocksRemembered > now) return;
  record.unlocks = 0;
  record.ended.reset();
}

}  // namespace policyd
