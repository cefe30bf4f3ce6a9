// Keeps the Mirror in step with Redis: a full load when a connection is made, then every change as Redis tells of it
// (CLIENT TRACKING in broadcast mode, policyd-redis(7)).
//
// While Redis is away the mirror stays as it was. What cannot be understood (a key of another type, a target or a
// setting that makes no sense) is told once in the log and does not count.
#pragma once

#include <functional>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "policyd/async/task.h"
#include "policyd/async/timer.h"
#include "policyd/store/keys.h"
#include "policyd/store/mirror.h"
#include "policyd/store/redis_connection.h"

namespace policyd {

class RedisMirror {
 public:
  // The account of a lock that was there, and is no more.
  using LockGone = std::function<void(const std::string& account)>;

  // All of them outlive it.
  RedisMirror(uv_loop_s* loop, const Clock& clock, Mirror& mirror, Keys keys, LockGone lock_gone = {});

  // A fresh connection: loads everything, then follows. Whatever was still under way on an earlier one ends by itself.
  void attach(RedisConnection& data);
  void detach();
  // What Redis told: keys that changed, or nil for all of them (FLUSHDB, FLUSHALL).
  void invalidated(const RedisReply& payload);
  // Whether a full load has ever been done.
  [[nodiscard]] bool loaded() const { return loaded_; }
  // All raw keys that say the same as a canonical one (of a block, of a lock): written in another form (upper case) by
  // hand.
  [[nodiscard]] std::vector<std::string> aliases(const std::string& canonical) const;

 private:
  void start_following();
  Task<void> follow();
  Task<bool> load(RedisConnection& data);
  bool cannot_read(std::string_view command, const RedisReply& reply);
  // False: an answer is missing, or was an error that says nothing about the key (BUSY, LOADING ...): what is known
  // stays.
  Task<bool> fetch(RedisConnection& data, std::vector<std::string> keys, Mirror& into);
  void take(const std::string& key, const RedisReply& fields, const RedisReply& ttl, Mirror& into);
  void take_block(const std::string& key, const BlockTarget& target, const RedisReply& fields, const RedisReply& ttl,
                  Mirror& into);
  void forget_block(const std::string& key, const BlockTarget& target, Mirror& into);
  void take_lock(const std::string& key, const std::string& account, const RedisReply& fields, const RedisReply& ttl,
                 Mirror& into);
  void forget_lock(const std::string& account, Mirror& into);
  void tell_gone(const std::string& account) const;
  void tell_gone_locks(const Mirror& fresh) const;
  void note_form(const std::string& key, const std::string& canonical);
  bool last_form(const std::string& key, const std::string& canonical);
  void take_settings(const std::string& key, const std::string& account, const RedisReply& fields, Mirror& into);
  void warn_once(const std::string& key, const std::string& what);

  const Clock& clock_;
  Mirror& mirror_;
  const Keys keys_;
  const LockGone lock_gone_;
  RedisConnection* data_ = nullptr;
  bool following_ = false;
  std::optional<Task<void>> following_task_;
  Timer retry_;                                              // after an error that says nothing about a key
  bool reload_ = false;
  std::string trouble_;  // why Redis does not let us read; empty: it does
  bool loaded_ = false;
  std::set<std::string> changed_;                            // keys to fetch
  std::map<std::string, std::set<std::string>> raw_keys_;    // of canonical keys that have, or had, another form
  std::set<std::string> other_than_locks_;                   // accounts whose lock's key holds something else
  std::set<std::string> warned_;
};

}  // namespace policyd
