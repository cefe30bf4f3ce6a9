// Locks in the Redis store. What has to be atomic over all nodes is a script; what Redis cannot be told is held here.
#include "policyd/store/redis_locks.h"

#include <algorithm>

#include "policyd/store/redis.h"
#include "policyd/store/redis_scripts.h"
#include "shared/log_line.h"
#include "shared/text.h"

namespace policyd {

namespace {

constexpr int64_t kLongestTtl = 100LL * 365 * 24 * 3600 * 1000;  // ms; what PEXPIREAT allows goes beyond any clock
constexpr Milliseconds kSkew = std::chrono::seconds(10);         // of clocks: a TTL that is so near is policyd's own
constexpr size_t kMostHeld = 10'000;

std::string number(int64_t value) { return std::to_string(value); }

// The events of XREVRANGE, those of the last kLocksRemembered.
std::vector<LockEvent> events_in(const RedisReply& reply, const std::string& account, WallTime now) {
  std::vector<LockEvent> events;
  for (const RedisReply& entry : reply.elements) {
    if (entry.elements.size() != 2) continue;
    const auto fields = fields_in(entry.elements[1]);
    const auto text = [&fields](const char* name) {
      const auto found = fields.find(name);
      return found == fields.end() ? std::string() : found->second;
    };
    const auto kind = parse_lock_event(text("event"));
    const auto at = parse_time(text("at"));
    if (!kind || !at || *at + kLocksRemembered <= now) continue;
    events.push_back({*kind, *at, text("who"), Lock::from_fields(account, fields, nullptr)});
  }
  return events;
}

}  // namespace

std::map<std::string, std::string> fields_in(const RedisReply& reply) {
  std::map<std::string, std::string> map;
  for (size_t i = 0; i + 1 < reply.elements.size(); i += 2) map[reply.elements[i].text] = reply.elements[i + 1].text;
  return map;
}

// -1: no expiry. An answer of 0 is a key in its last millisecond.
std::optional<WallTime> deadline_of(int64_t pttl, WallTime now) {
  if (pttl < 0) return std::nullopt;
  return now + Milliseconds(std::min(pttl, kLongestTtl));
}

Lock lock_in_redis(const std::string& account, const RedisReply& fields, int64_t pttl, WallTime now,
                   std::string* warning) {
  Lock lock = Lock::from_fields(account, fields_in(fields), warning);
  const auto deadline = deadline_of(pttl, now);
  if (!deadline) return lock;
  const WallTime own = *deadline - kLocksRemembered;
  if (lock.until && own < *lock.until + kSkew && own > *lock.until - kSkew) {
    lock.until = own;
  } else {
    lock.until = std::min(lock.until.value_or(*deadline), *deadline);
  }
  return lock;
}

// The arguments that all scripts of locks have in common.
std::vector<std::string> RedisStore::lock_script(std::string_view script, const std::string& lock_key,
                                                 const std::string& account) const {
  return {"EVAL", std::string(script), "5", lock_key, keys_.unlocks(account), keys_.history(account),
          keys_.rate(account), keys_.seen(account),
          number(kLocksRemembered.count()), number(kLockEvents), format_time(redis_now())};
}

Task<Result<LockOutcome>> RedisStore::write_lock(LockRequest request, WallTime asked) {
  LockRequest with_end = request;
  with_end.max_unlocks.reset();  // the script knows the count
  const Lock wanted = make_lock(with_end, 0, asked + link_.nodes().redis_ahead());
  std::vector<std::string> command = lock_script(kLockScript, keys_.lock(request.account), request.account);
  command.push_back(wanted.until ? format_time(*wanted.until) : "");
  command.push_back(wanted.until ? number((*wanted.until + kLocksRemembered).time_since_epoch().count()) : "0");
  command.push_back(request.max_unlocks ? number(*request.max_unlocks) : "");
  command.emplace_back(request.replace ? "1" : "0");
  for (const auto& [field, value] : wanted.fields()) {
    if (field == "until") continue;
    command.push_back(field);
    command.push_back(value);
  }
  const auto asking = ask(std::move(command));
  const auto reply = co_await asking;
  if (!reply) co_return reply.error();
  if (reply->elements.size() != 4) co_return Error{"the store " + config_.url.to_string() + " answers a lock oddly"};
  note_ended(request.account, reply->elements[3]);
  LockOutcome outcome;
  outcome.made = reply->elements[0].integer == 1;
  outcome.lock = lock_in_redis(request.account, reply->elements[1], reply->elements[2].integer, clock_.wall(), nullptr);
  mirror_.put_lock(outcome.lock);
  co_return outcome;
}

Task<Result<LockOutcome>> RedisStore::lock(LockRequest request) {
  const WallTime asked = clock_.wall();
  const auto writing = write_lock(request, asked);
  auto written = co_await writing;
  if (written || !request.at_all_costs) co_return written;
  co_return hold_lock(std::move(request), asked);
}

// In force on this node alone; written as soon as Redis takes it, if it has not been told of it by then.
Result<LockOutcome> RedisStore::hold_lock(LockRequest request, WallTime asked) {
  const std::string account = request.account;
  if (const Lock* known = mirror_.lock(account)) return LockOutcome{*known, false};
  if (held_locks_.size() >= kMostHeld && !held_locks_.contains(account)) {
    return Error{"the store " + config_.url.to_string() + " is away, and no more than " + number(kMostHeld) +
                 " locks can wait for it"};
  }
  return LockOutcome{keep_held(account, HeldLock{std::move(request), asked}), true};
}

Lock RedisStore::keep_held(const std::string& account, HeldLock held) {
  Lock lock = make_lock(held.request, 0, held.asked);
  mirror_.hold_lock(lock);
  held_locks_.insert_or_assign(account, std::move(held));
  return lock;
}

Task<void> RedisStore::write_held_locks() {
  while (!held_locks_.empty() && link_.serving()) {
    const std::string account = held_locks_.begin()->first;
    const HeldLock held = held_locks_.begin()->second;
    const auto writing = write_lock(held.request, held.asked);
    const auto written = co_await writing;
    if (!written) co_return;
    held_locks_.erase(account);
    mirror_.release_lock(account);
  }
}

void RedisStore::tell_lost_locks() const {
  for (const auto& [account, held] : held_locks_) {
    log_error("store {}: the lock of {} ({}) was made while it was away, and is lost", config_.url.to_string(),
              policyd::quoted(account), policyd::quoted(held.request.reason));
  }
}

void RedisStore::note_ended(const std::string& account, const RedisReply& fields) {
  if (fields.elements.empty()) return;
  share_.forget_signs(account);
  ended_locks_.push_back(Lock::from_fields(account, fields_in(fields), nullptr));
}

Task<Result<std::optional<Lock>>> RedisStore::unlock(std::string account, std::string by) {
  const Lock* known = mirror_.lock(account);
  std::optional<Lock> lifted = known ? std::optional(*known) : std::nullopt;
  auto held = held_locks_.extract(account);  // it is not written meanwhile
  std::vector<std::string> command = lock_script(kUnlockScript, keys_.lock(account), account);
  command.push_back(std::move(by));
  const auto asking = ask(std::move(command));
  const auto reply = co_await asking;
  if (held) mirror_.release_lock(account);
  if (!reply && (!held || mirror_.lock(account))) {
    if (held) keep_held(account, std::move(held.mapped()));
    co_return reply.error();
  }
  share_.forget_signs(account);
  if (!reply) co_return lifted;  // Redis has never known of it
  if (reply->elements.size() == 2) note_ended(account, reply->elements[1]);
  if (std::vector<std::string> aliases = follower_.aliases(keys_.lock(account)); !aliases.empty()) {
    aliases.insert(aliases.begin(), "DEL");
    const auto deleting = ask(std::move(aliases));
    if (const auto deleted = co_await deleting; !deleted) co_return deleted.error();
  }
  mirror_.remove_lock(account);
  const bool found = reply->elements.size() == 2 && !reply->elements[0].elements.empty();
  if (!lifted && found) lifted = Lock::from_fields(account, fields_in(reply->elements[0]), nullptr);
  co_return lifted;
}

// By DEL, or by an expiry that somebody gave its key: else the signs that made it would make it again at once. Sent
// before any charge that comes now, on the same connection.
void RedisStore::lock_gone(const std::string& account) {
  if (held_locks_.contains(account)) return;
  share_.forget_signs(account);
  std::vector<std::string> command = lock_script(kLockGoneScript, keys_.lock(account), account);
  command.emplace_back("redis-cli");
  const std::vector<std::string_view> arguments(command.begin(), command.end());
  link_.data().send(arguments);  // nobody waits for the answer
}

// In whatever form its key is written. False: Redis cannot be asked.
Task<bool> RedisStore::end_lock(std::string account) {
  std::vector<std::string> keys = follower_.aliases(keys_.lock(account));
  keys.push_back(keys_.lock(account));
  for (const std::string& key : keys) {
    std::vector<std::string> command = lock_script(kEndLockScript, key, account);
    const auto asking = ask(std::move(command));
    const auto reply = co_await asking;
    if (!reply) co_return false;
    note_ended(account, *reply);
  }
  co_return true;
}

Task<Result<std::vector<Lock>>> RedisStore::end_locks() {
  const auto writing = write_held_locks();
  co_await writing;
  const std::vector<Lock> over = mirror_.over_locks();
  for (const Lock& lock : over) {
    if (held_locks_.contains(lock.account)) share_.forget_signs(lock.account);
  }
  bool answers = link_.serving();
  for (const Lock& lock : over) {
    if (!answers) break;
    const auto ending = end_lock(lock.account);
    answers = co_await ending;
  }
  co_return std::exchange(ended_locks_, {});
}

Task<Result<std::vector<LockEvent>>> RedisStore::lock_history(std::string account) {
  std::vector<std::string> command{"XREVRANGE", keys_.history(account), "+", "-", "COUNT", number(kLockEvents)};
  const auto exchanging = exchange(std::move(command));
  const auto reply = co_await exchanging;
  if (!reply) co_return reply.error();
  if (reply->is_error() && reply->error_word() != "WRONGTYPE") co_return refusal(*reply);
  co_return events_in(*reply, account, redis_now());
}

}  // namespace policyd
