// A Redis store on a FakeRedis, and what tests of its troubles ask of it: who is blocked, how
// charges were decided, what was told.
#pragma once

#include <algorithm>
#include <deque>
#include <doctest/doctest.h>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "tests/contract/redis_node.h"
#include "tests/support/captured_log.h"
#include "tests/support/charges.h"
#include "tests/support/fake_redis.h"
#include "tests/support/run_task.h"

namespace policyd::test {

inline const Limits kLimits{{Meter::messages, 1'000, Milliseconds{3'600'000}}};
inline const std::string kBlockKey = "policyd:block:email:joe@example.com";
inline const FakeRedis::Hash kBlock{{"description", "x"}};

class TroubleRig {
 public:
  // Serving, and joe is blocked, unless the test has `prepare` spoil it. No test waits for the
  // time-out's end but those that say so: it is long, since a slow machine is no trouble of Redis.
  explicit TroubleRig(Milliseconds timeout = Milliseconds{10'000},
                      const std::function<void(FakeRedis&)>& prepare = {}) {
    redis.change(kBlockKey, kBlock);
    if (prepare) prepare(redis);
    const Config::Store config = redis_config(redis.socket(), timeout);
    store = std::make_unique<RedisStore>(loop, clock, mirror, config, node_named("test:1"));
    REQUIRE(store->start().ok());
    if (!prepare) REQUIRE(serves());
    served_at_first_ = serves() ? 1 : 0;
  }
  ~TroubleRig() {
    redis.instead = {};
    if (store) loop.run(store->stop());
  }

  [[nodiscard]] bool serves() const { return store->status().available; }
  [[nodiscard]] const Block* block_of_joe() const {
    return mirror.find(BlockTarget{BlockType::email, "joe@example.com"});
  }
  [[nodiscard]] bool blocks_joe() const { return block_of_joe() != nullptr; }
  [[nodiscard]] std::string reason() const { return store->status().detail; }
  [[nodiscard]] int64_t to_merge() const { return store->status().pending_merge; }

  // And Redis has counted that many charges in all.
  void until_it_serves(size_t charged) {
    loop.turn_until(
        [&] { return serves() && to_merge() == 0 && redis.charged().size() >= charged; });
    CHECK(redis.charged().size() == charged);
  }
  void until_it_is_away() {
    loop.turn_until([&] { return !serves(); });
  }

  // One message each, of the account "joe".
  std::vector<Charge> messages(size_t count) {
    std::vector<Charge> all;
    for (size_t i = 0; i < count; ++i) {
      const std::string& instance = instances_.emplace_back("i" + std::to_string(instances_.size()));
      all.push_back(recipient_charge("joe", instance, "a@x", 0, &kLimits));
    }
    return all;
  }
  // Side by side.
  std::vector<ChargeResult> charge(const std::vector<Charge>& charges) {
    return charge_side_by_side(loop, *store, charges);
  }
  std::vector<ChargeResult> charge(size_t count) { return charge(messages(count)); }

  size_t lines(std::string_view needle) const {
    const auto& all = log.lines();
    return static_cast<size_t>(std::count_if(all.begin(), all.end(), [&](const auto& line) {
      return line.find(needle) != std::string::npos;
    }));
  }
  // It has gone away and come back that often since the rig was made, and told of each once.
  void check_told(size_t away, size_t back) const {
    std::string told;
    for (const auto& line : log.lines()) told += line + "\n";
    INFO(told);
    CHECK(lines(": away: ") == away);
    CHECK(lines(": available after ") == back + served_at_first_);
  }

  CapturedLog log;
  TestLoop loop;
  SystemClock clock;
  Mirror mirror{clock};
  FakeRedis redis{loop};
  std::unique_ptr<RedisStore> store;

 private:
  std::deque<std::string> instances_;  // charges see into them
  size_t served_at_first_ = 0;
};

// Answers one kind of command so, all others as usual.
inline auto answering(const std::string& kind, const FakeRedis::Answer& answer) {
  return [kind, answer](const FakeRedis::Command& command) {
    return FakeRedis::kind(command) == kind ? std::optional(answer) : std::nullopt;
  };
}

}  // namespace policyd::test
