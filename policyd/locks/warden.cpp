#include "policyd/locks/warden.h"

#include <fmt/format.h>

#include <utility>

#include "policyd/async/busy.h"
#include "policyd/notify/event.h"
#include "shared/block.h"
#include "shared/duration.h"
#include "shared/log_line.h"
#include "shared/text.h"

namespace policyd {

namespace {

std::string until_text(const Lock& lock) { return lock.until ? "until " + format_time(*lock.until) : "until lifted"; }

}  // namespace

std::string evidence_of(const Limit& sign, int64_t used) {
  const std::string amount = sign.meter == Meter::bytes ? format_size(used) : std::to_string(used);
  return fmt::format("{} {} in {}, limit {}", meter_name(sign.meter), amount, format_duration(sign.window),
                     sign.to_string());
}

Warden::Warden(uv_loop_s* loop, Store& store, const Mirror& mirror, EventSink* events, std::string node)
    : store_(store), mirror_(mirror), events_(events), node_(std::move(node)), timer_(loop, [this] {
        if (!ending_) spawn(end_locks());
      }) {}

void Warden::start() { timer_.every(kPeriod); }
void Warden::stop() { timer_.stop(); }

void Warden::notice(std::string_view account, const Limit& sign, int64_t used, const AccountPolicy& policy) {
  if (!policy.auto_lock || mirror_.lock(account) || asking_.contains(account)) return;
  LockRequest request;
  request.account = account;
  request.reason = meter_name(sign.meter);
  request.evidence = evidence_of(sign, used);
  request.by = kPolicydItself;
  request.lock_time = policy.lock_time;
  request.max_unlocks = policy.max_unlocks;
  request.at_all_costs = true;
  asking_.emplace(account);
  spawn(lock_for_a_sign(std::move(request)));
}

Task<void> Warden::lock_for_a_sign(LockRequest request) {
  const std::string account = request.account;
  const auto locking = lock(std::move(request));
  const auto outcome = co_await locking;
  asking_.erase(account);
  const bool failed_before = std::exchange(failing_, !outcome.ok());
  if (outcome || failed_before) co_return;
  log_error("lock: {} shows signs of a hijack and cannot be locked: {}; further ones are not logged",
            policyd::quoted(account), outcome.error().message);
}

Task<Result<LockOutcome>> Warden::lock(LockRequest request) {
  request.node = node_;
  const auto locking = store_.lock(std::move(request));
  auto outcome = co_await locking;
  if (outcome && outcome->made) {
    const Lock& lock = outcome->lock;
    log_warning("lock: account={} {} reason={} evidence={} unlocks={} by={}", policyd::quoted(lock.account),
                until_text(lock), policyd::quoted(lock.reason), policyd::quoted(lock.evidence), lock.unlocks,
                policyd::quoted(lock.by));
    const std::string why = lock.evidence.empty() ? lock.reason : lock.evidence;
    tell(EventKind::lock, lock, lock.account + " is locked " + until_text(lock) + ": " + why);
  }
  co_return outcome;
}

Task<Result<std::optional<Lock>>> Warden::unlock(std::string account, std::string by) {
  const auto unlocking = store_.unlock(std::move(account), by);
  auto lifted = co_await unlocking;
  if (lifted && *lifted) {
    const Lock& lock = **lifted;
    log_info("lock: account={} lifted reason={} by={}", policyd::quoted(lock.account),
             policyd::quoted(lock.reason), policyd::quoted(by));
    tell(EventKind::unlock, lock, "the lock of " + lock.account + " was lifted by " + by);
  }
  co_return lifted;
}

Task<void> Warden::end_locks() {
  const Busy ending(ending_);
  const auto asking = store_.end_locks();
  const auto ended = co_await asking;
  if (!ended) co_return;
  for (const Lock& lock : *ended) {
    log_info("lock: account={} ended reason={} unlocks={}", policyd::quoted(lock.account),
             policyd::quoted(lock.reason), lock.unlocks + 1);
    tell(EventKind::unlock, lock, "the lock of " + lock.account + " has ended");
  }
}

void Warden::tell(EventKind kind, const Lock& lock, const std::string& text) {
  if (!events_) return;
  events_->tell({kind, lock.account, text, nlohmann::json(lock.fields())});
}

}  // namespace policyd
