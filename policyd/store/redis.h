// The shared store: Redis, and what holds while Redis is away.
//
// As soon as a command gets no answer in time, or an error (LOADING, READONLY, OOM ...), the store is away: no
// further request waits for it, limits are enforced by LocalShare, blocks by the mirror. A heartbeat that succeeds
// ends that (redis_link.h): what was let through meanwhile is merged first. Charges go to Redis many at a time
// (redis_charges.h).
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "policyd/recent_table.h"
#include "policyd/store/claim_table.h"
#include "policyd/store/keys.h"
#include "policyd/store/local_share.h"
#include "policyd/store/mirror.h"
#include "policyd/store/redis_charges.h"
#include "policyd/store/redis_greylist.h"
#include "policyd/store/redis_link.h"
#include "policyd/store/redis_mirror.h"
#include "policyd/store/store.h"
#include "shared/config.h"

struct uv_loop_s;

namespace policyd {

class RedisStore final : public Store, private RedisLink::User {
 public:
  // What this node tells of itself with every heartbeat.
  using Self = std::function<NodeInfo()>;

  // All references outlive the store.
  RedisStore(uv_loop_s* loop, const Clock& clock, Mirror& mirror, const Config::Store& config, Self self);
  ~RedisStore() override;

  // Waits for the first load of the mirror, a few seconds at most: a Redis that is away at start is told and waited
  // for in the background.
  Result<void> start() override;
  Task<void> stop() override;
  Task<ChargeResult> charge(const Charge& charge) override;
  Task<GreylistResult> greylist(const GreylistAttempt& attempt) override;
  Task<Result<void>> put_block(Block block) override;
  Task<Result<bool>> remove_block(BlockTarget target) override;
  Task<Result<LockOutcome>> lock(LockRequest request) override;
  Task<Result<std::optional<Lock>>> unlock(std::string account, std::string by) override;
  Task<Result<std::vector<Lock>>> end_locks() override;
  Task<Result<std::vector<LockEvent>>> lock_history(std::string account) override;
  Task<Result<void>> put_setting(std::string account, std::string key, std::string value) override;
  Task<Result<bool>> remove_setting(std::string account, std::string key) override;
  Task<Result<AccountPage>> list_usage(size_t limit) override;
  Task<Result<AccountUsage>> usage(std::string account) override;
  Task<Result<bool>> reset_usage(std::string account) override;
  Task<bool> claim(std::string what, Milliseconds duration) override;
  Task<Result<void>> add_report(ReportBatch batch) override;
  Task<Result<ReportHours>> report(ReportKind kind, WallTime since) override;
  Task<Result<void>> add_journal(JournalBatch batch) override;
  Task<Result<JournalPage>> journal(JournalRange range) override;
  Task<Result<std::vector<NodeInfo>>> nodes() override;
  [[nodiscard]] StoreStatus status() const override;

 private:
  void opened(RedisConnection& data, const std::string& charge_sha) override;
  void closed() override;
  void end_of_turn() override {
    charges_.hash_with(link_.nodes().elements());
    charges_.end_of_turn();
  }
  Task<std::optional<size_t>> catch_up() override;
  Task<void> caught_up() override;
  void changed(const RedisReply& keys) override { follower_.invalidated(keys); }
  NodeInfo self() override { return self_(); }
  void beat() override;

  Task<bool> merge(size_t most);
  [[nodiscard]] ChargeMode mode_of(const LocalShare::Entry& entry) const;
  void note_sent(const Charge& charge);
  [[nodiscard]] std::optional<WallTime> last_sent(const Charge& charge) const;
  [[nodiscard]] uint64_t message_of(const Charge& charge) const;
  // Those that Redis has not said to have counted.
  [[nodiscard]] size_t pending() const { return share_.pending() + merging_; }
  // A command of an operator: the reply, which may be an error of Redis, or an Error that says that Redis is away.
  Task<Result<RedisReply>> exchange(std::vector<std::string> command);
  // The same where an error of Redis is a refusal: an Error too.
  Task<Result<RedisReply>> ask(std::vector<std::string> command);
  [[nodiscard]] Error away_error() const;
  [[nodiscard]] Error refusal(const RedisReply& reply) const;
  void warn_unreadable(const std::string& key);

  // redis_locks.cpp
  // A lock that Redis does not know of yet, and when it was asked for.
  struct HeldLock {
    LockRequest request;
    WallTime asked;
  };
  [[nodiscard]] WallTime redis_now() const { return clock_.wall() + link_.nodes().redis_ahead(); }
  [[nodiscard]] std::vector<std::string> lock_script(std::string_view script, const std::string& lock_key,
                                                     const std::string& account) const;
  Task<Result<LockOutcome>> write_lock(LockRequest request, WallTime asked);
  Result<LockOutcome> hold_lock(LockRequest request, WallTime asked);
  Lock keep_held(const std::string& account, HeldLock held);
  Task<void> write_held_locks();
  Task<bool> end_lock(std::string account);
  void lock_gone(const std::string& account);
  void note_ended(const std::string& account, const RedisReply& fields);
  void tell_lost_locks() const;

  uv_loop_s* loop_;
  const Clock& clock_;
  Mirror& mirror_;
  const Config::Store config_;
  const Self self_;
  const Keys keys_;
  RedisMirror follower_;
  LocalShare share_;
  RedisLink link_;
  RedisCharges charges_;
  RedisGreylist greylist_;
  ClaimTable claims_;  // made while Redis was away
  // When Redis last counted something of a message, or may have: messages of the last hour are what matters.
  static constexpr size_t kSets = 8 * 1024;
  RecentTable<WallTime, kSets> sent_;
  const uint64_t seed_ = random_seed();
  int beats_ = 0;
  size_t merging_ = 0;                          // taken from share_, and not answered yet
  SteadyTime merge_until_ = SteadyTime::max();  // set by stop()
  uint64_t told_dropped_ = 0;                   // of share_.dropped(), what the log has said
  std::set<std::string> unreadable_;            // keys that the log has named
  std::map<std::string, HeldLock> held_locks_;  // by account
  std::vector<Lock> ended_locks_;               // that nobody has been told of
};

}  // namespace policyd
