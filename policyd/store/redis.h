// The shared store: Redis, and what holds while Redis is away.
//
// Two connections: one for commands, one that Redis tells changes on. A heartbeat every second shows that Redis answers, takes writes and
// tells changes. As soon as a command gets no answer in time, or an error (LOADING, READONLY, OOM ...), the store is away: no further request
// waits for it, limits are enforced by LocalShare, blocks by the mirror. A heartbeat that succeeds ends that: what was let through meanwhile
// is merged first. One log line per change of state.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "policyd/async/timer.h"
#include "policyd/store/keys.h"
#include "policyd/store/local_share.h"
#include "policyd/store/mirror.h"
#include "policyd/store/redis_connection.h"
#include "policyd/store/redis_mirror.h"
#include "policyd/store/store.h"
#include "shared/config.h"

struct uv_loop_s;

namespace policyd {

class RedisStore final : public Store {
 public:
  // What this node tells of itself with every heartbeat.
  using Self = std::function<NodeInfo()>;

  // All references outlive the store.
  RedisStore(uv_loop_s* loop, const Clock& clock, Mirror& mirror, const Config::Store& config, Self self);
  ~RedisStore() override;

  // Waits for the first load of the mirror, a few seconds at most: a Redis that is away at start is told and waited for in the background.
  Result<void> start() override;
  Task<void> stop() override;
  Task<ChargeResult> charge(const Charge& charge) override;
  Task<Result<void>> put_block(Block block) override;
  Task<Result<bool>> remove_block(BlockTarget target) override;
  Task<Result<void>> put_setting(std::string account, std::string key, std::string value) override;
  Task<Result<bool>> remove_setting(std::string account, std::string key) override;
  Task<Result<AccountPage>> list_usage(size_t limit) override;
  Task<Result<AccountUsage>> usage(std::string account) override;
  Task<Result<bool>> reset_usage(std::string account) override;
  Task<Result<std::vector<NodeInfo>>> nodes() override;
  [[nodiscard]] StoreStatus status() const override;

 private:
  Task<void> connect();
  Task<Result<void>> establish();
  Task<Result<void>> load_scripts();
  Task<Result<void>> beat();
  Task<void> beat_and_recover();
  void on_beat();
  void note_nodes(const RedisReply& reply);
  Task<void> recover();
  Task<bool> merge(size_t most);
  enum class Answer : uint8_t { counted, away, broken };
  Answer judge(const Result<RedisReply>& reply);
  RedisCall send_charge(const Charge& charge, std::string_view mode, WallTime at, bool with_source);
  void went_away(const std::string& reason);
  void reconnect_later();
  void on_message(const RedisReply& payload);
  // A command of an operator: the reply, or an Error that says that Redis is away or what it refuses.
  Task<Result<RedisReply>> ask(std::vector<std::string> command);
  [[nodiscard]] Error away_error() const;

  uv_loop_s* loop_;
  const Clock& clock_;
  Mirror& mirror_;
  const Config::Store config_;
  const Self self_;
  const Keys keys_;
  RedisMirror follower_;
  LocalShare share_;

  std::unique_ptr<RedisConnection> data_, changes_;
  std::string charge_sha_, heartbeat_sha_;
  bool available_ = false;
  bool connected_ = false;   // data_ and changes_ are open
  bool beating_ = false;     // a heartbeat waits for its answer
  bool merging_ = false;
  bool stopping_ = false;
  int unheard_ = 0;          // heartbeats whose change Redis has not told us of
  std::string reason_ = "not yet connected";
  std::optional<SteadyTime> away_since_;
  Milliseconds retry_in_{0};
  Milliseconds redis_ahead_{0};  // Redis' clock less ours
  std::vector<NodeInfo> nodes_;  // last seen
  size_t most_nodes_ = 1;        // seen within the last minute: the share of a limit must not grow because they went away too
  SteadyTime most_nodes_at_{};
  uint64_t broken_ = 0;          // charges that Redis could not count for a reason of their own
  int beats_ = 0;
  std::optional<Task<void>> connecting_, beating_task_;
  Timer retry_, heartbeat_;
};

}  // namespace policyd
