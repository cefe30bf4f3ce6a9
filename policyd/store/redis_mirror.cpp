#include "policyd/store/redis_mirror.h"

#include <algorithm>

#include "policyd/store/redis_locks.h"
#include "shared/log_line.h"
#include "shared/text.h"

namespace policyd {

namespace {

constexpr size_t kBatch = 256;
constexpr Milliseconds kRetry{100};
constexpr size_t kMostWarnings = 1000;  // remembered, so that each is told once

// Those whose time is over too: they are there until the store has ended them.
std::set<std::string> locked_accounts(const Mirror& mirror) {
  std::set<std::string> accounts;
  for (const auto& locks : {mirror.locks(), mirror.over_locks()}) {
    for (const Lock& lock : locks) accounts.insert(lock.account);
  }
  return accounts;
}

}  // namespace

RedisMirror::RedisMirror(uv_loop_s* loop, const Clock& clock, Mirror& mirror, Keys keys, LockGone lock_gone)
    : clock_(clock),
      mirror_(mirror),
      keys_(std::move(keys)),
      lock_gone_(std::move(lock_gone)),
      retry_(loop, [this] { start_following(); }) {}

void RedisMirror::attach(RedisConnection& data) {
  data_ = &data;
  reload_ = true;
  start_following();
}

void RedisMirror::detach() {
  data_ = nullptr;
  following_task_.reset();
  following_ = false;
}

void RedisMirror::start_following() {
  if (following_ || !data_) return;
  following_task_.emplace(follow());
  following_task_->start();
}

void RedisMirror::invalidated(const RedisReply& payload) {
  if (payload.kind != RedisReply::Kind::array) reload_ = true;
  for (const RedisReply& key : payload.elements) changed_.insert(key.text);
  start_following();
}

std::vector<std::string> RedisMirror::aliases(const std::string& canonical) const {
  const auto found = raw_keys_.find(canonical);
  if (found == raw_keys_.end()) return {};
  std::vector<std::string> keys(found->second.begin(), found->second.end());
  std::erase(keys, canonical);
  return keys;
}

// One at a time, so that what is fetched later is also written later.
Task<void> RedisMirror::follow() {
  following_ = true;
  while (data_ && (reload_ || !changed_.empty())) {
    RedisConnection& data = *data_;
    bool done = false;
    if (reload_) {
      reload_ = false;
      changed_.clear();  // a load sees them all
      const auto loading = load(data);
      done = co_await loading;
      if (!done) reload_ = true;
    } else {
      std::vector<std::string> keys;
      while (!changed_.empty() && keys.size() < kBatch) {
        keys.push_back(std::move(changed_.extract(changed_.begin()).value()));
      }
      const auto fetching = fetch(data, keys, mirror_);
      done = co_await fetching;
      if (!done) changed_.insert(keys.begin(), keys.end());
    }
    if (done && !std::exchange(trouble_, {}).empty()) log_info("store: blocks and settings can be read again");
    if (!done && data_ == &data) {
      retry_.once(kRetry);  // on a connection that is lost, attach() starts over before that
      break;
    }
  }
  following_ = false;
}

// Redis answers, but not this: told once for each reason, and tried again.
bool RedisMirror::cannot_read(std::string_view command, const RedisReply& reply) {
  const std::string why = std::string(command) + (reply.is_error() ? ": " + reply.text : " is answered oddly");
  if (std::exchange(trouble_, why) != why) {
    log_error("store: blocks and settings cannot be read: {}; those last known stay in force{}; let its user run "
              "SCAN, HGETALL and PTTL",
              why, loaded_ ? "" : " (there are none yet)");
  }
  return false;
}

Task<bool> RedisMirror::load(RedisConnection& data) {
  Mirror fresh(clock_);
  raw_keys_.clear();
  warned_.clear();
  other_than_locks_.clear();
  std::string cursor = "0";
  const std::string pattern = keys_.mirrored_pattern();
  do {
    auto call = data.send({"SCAN", cursor, "MATCH", pattern, "COUNT", "1000"});
    auto reply = co_await call;
    if (!reply) co_return false;
    if (reply->elements.size() != 2 || reply->elements[1].kind != RedisReply::Kind::array) {
      co_return cannot_read("SCAN", *reply);
    }
    cursor = reply->elements[0].text;
    std::vector<std::string> keys;
    for (auto& key : reply->elements[1].elements) keys.push_back(std::move(key.text));
    const auto fetching = fetch(data, std::move(keys), fresh);
    if (!co_await fetching) co_return false;
  } while (cursor != "0");
  tell_gone_locks(fresh);
  mirror_.replace_all(std::move(fresh));
  loaded_ = true;
  log_debug("mirror: {} blocks, {} locks and {} account settings loaded", mirror_.block_count(),
            mirror_.lock_count(), mirror_.all_settings().size());
  co_return true;
}

// Also those that ended by a TTL while Redis was away, however long ago.
void RedisMirror::tell_gone_locks(const Mirror& fresh) const {
  const std::set<std::string> there = locked_accounts(fresh);
  for (const std::string& account : locked_accounts(mirror_)) {
    if (!there.contains(account)) tell_gone(account);
  }
}

Task<bool> RedisMirror::fetch(RedisConnection& data, std::vector<std::string> keys, Mirror& into) {
  std::vector<RedisCall> calls;
  calls.reserve(2 * keys.size());
  for (const std::string& key : keys) {
    calls.push_back(data.send({"HGETALL", key}));
    calls.push_back(data.send({"PTTL", key}));
  }
  for (size_t i = 0; i < keys.size(); ++i) {
    RedisCall& fields_call = calls[2 * i];
    RedisCall& ttl_call = calls[2 * i + 1];
    auto fields = co_await fields_call;
    auto ttl = co_await ttl_call;
    if (!fields || !ttl) co_return false;
    if (ttl->kind != RedisReply::Kind::integer) co_return cannot_read("PTTL", *ttl);
    const bool wrong_type = fields->is_error() && fields->error_word() == "WRONGTYPE";
    if (fields->kind != RedisReply::Kind::array && !wrong_type) co_return cannot_read("HGETALL", *fields);
    take(keys[i], *fields, *ttl, into);
  }
  co_return true;
}

void RedisMirror::take(const std::string& key, const RedisReply& fields, const RedisReply& ttl, Mirror& into) {
  if (fields.is_error()) warn_once(key, "it is not a hash (write it with HSET)");
  if (const auto target = keys_.parse_block(key)) {
    if (*target) return take_block(key, **target, fields, ttl, into);
    warn_once(key, target->error().message);
  } else if (const auto account = keys_.parse_account(key)) {
    take_settings(key, *account, fields, into);
  } else if (const auto locked = keys_.parse_lock(key)) {
    take_lock(key, to_lower(*locked), fields, ttl, into);
  }
}

void RedisMirror::take_block(const std::string& key, const BlockTarget& target, const RedisReply& fields,
                             const RedisReply& ttl, Mirror& into) {
  if (fields.elements.empty()) return forget_block(key, target, into);
  std::string warning;
  Block block = Block::from_fields(target, fields_in(fields), &warning);
  if (!warning.empty()) warn_once(key, warning);
  block.expires = deadline_of(ttl.integer, clock_.wall());
  note_form(key, keys_.block(target));
  into.put_block(std::move(block));
}

void RedisMirror::forget_block(const std::string& key, const BlockTarget& target, Mirror& into) {
  if (last_form(key, keys_.block(target))) into.remove_block(target);
}

void RedisMirror::take_lock(const std::string& key, const std::string& account, const RedisReply& fields,
                            const RedisReply& ttl, Mirror& into) {
  if (!fields.is_error()) {
    other_than_locks_.erase(account);
  } else {
    other_than_locks_.insert(account);
  }
  if (fields.elements.empty()) {
    if (last_form(key, keys_.lock(account))) forget_lock(account, into);
    return;
  }
  std::string warning;
  Lock lock = lock_in_redis(account, fields, ttl.integer, clock_.wall(), &warning);
  if (!warning.empty()) warn_once(key, warning);
  note_form(key, keys_.lock(account));
  into.put_lock(std::move(lock));
}

void RedisMirror::forget_lock(const std::string& account, Mirror& into) {
  const bool was_there = into.lock(account) != nullptr;
  into.remove_lock(account);
  if (was_there) tell_gone(account);
}

// Nobody has lifted it where something else stands in its key.
void RedisMirror::tell_gone(const std::string& account) const {
  if (lock_gone_ && !other_than_locks_.contains(account)) lock_gone_(account);
}

void RedisMirror::note_form(const std::string& key, const std::string& canonical) {
  const auto known = raw_keys_.find(canonical);
  if (known != raw_keys_.end()) {
    known->second.insert(key);
  } else if (key != canonical) {
    // The canonical key may be there too; if it is not, forgetting it does no harm.
    raw_keys_[canonical] = {key, canonical};
  }
}

// What a key said stays while another one may still say so; that one is fetched, and is the last if it is gone as well.
bool RedisMirror::last_form(const std::string& key, const std::string& canonical) {
  const auto known = raw_keys_.find(canonical);
  if (known == raw_keys_.end()) return true;
  known->second.erase(key);
  if (known->second.empty()) {
    raw_keys_.erase(known);
    return true;
  }
  changed_.insert(known->second.begin(), known->second.end());
  return false;
}

void RedisMirror::take_settings(const std::string& key, const std::string& account, const RedisReply& fields,
                                Mirror& into) {
  const std::string name = to_lower(account);
  AccountSettings settings;
  for (const auto& [field, value] : fields_in(fields)) {
    if (auto set = settings.set(field, value); !set) warn_once(key, set.error().message);
  }
  settings == AccountSettings{} ? into.remove_settings(name) : into.put_settings(name, std::move(settings));
}

void RedisMirror::warn_once(const std::string& key, const std::string& what) {
  if (warned_.size() >= kMostWarnings || !warned_.insert(key + what).second) return;
  log_warning("Redis key {}: {}; ignored", quoted(key), what);
}

}  // namespace policyd
