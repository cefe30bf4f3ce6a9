// A Redis store on a FakeRedis, and what tests of its troubles ask of it: who is blocked, how
// charges were decided, what was told.
#pragma once

#include <deque>
#include <doctest/doctest.h>
#include <functional>
#include <memory>
#include <optional>
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
                      const std::function<void(FakeRedis&)>& prepare = {});
  ~TroubleRig();
  TroubleRig(const TroubleRig&) = delete;
  TroubleRig& operator=(const TroubleRig&) = delete;

  [[nodiscard]] bool serves() const { return store->status().available; }
  [[nodiscard]] const Block* block_of_joe() const {
    return mirror.find(BlockTarget{BlockType::email, "joe@example.com"});
  }
  [[nodiscard]] bool blocks_joe() const { return block_of_joe() != nullptr; }
  [[nodiscard]] std::string reason() const { return store->status().detail; }
  [[nodiscard]] int64_t to_merge() const { return store->status().pending_merge; }

  // And Redis has counted that many charges in all.
  void until_it_serves(size_t charged);
  void until_it_is_away();

  // One message each, of the account "joe".
  std::vector<Charge> messages(size_t count);
  // Side by side.
  std::vector<ChargeResult> charge(const std::vector<Charge>& charges);
  std::vector<ChargeResult> charge(size_t count) { return charge(messages(count)); }

  [[nodiscard]] size_t lines(std::string_view needle) const;
  // It has gone away and come back that often since the rig was made, and told of each once.
  void check_told(size_t away, size_t back) const;

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
std::function<std::optional<FakeRedis::Answer>(const FakeRedis::Command&)> answering(std::string kind,
                                                                                     FakeRedis::Answer answer);

}  // namespace policyd::test
