// Many charges at once on the Redis store: runs of a bounded size, one odd key, a Redis that hangs or has forgotten
// the script, and those who do not wait for their answer.
#include <doctest/doctest.h>

#include <algorithm>
#include <deque>

#include "policyd/async/gather.h"
#include "policyd/store/charge_command.h"
#include "policyd/store/redis.h"
#include "tests/support/fake_clock.h"
#include "tests/support/redis_server.h"
#include "tests/support/run_task.h"

namespace policyd {
namespace {

using test::FakeClock;
using test::RedisServer;
using test::TestLoop;

constexpr size_t kMany = 5 * ChargeCommand::kMost + 7;
const Limits kLimits{{Meter::messages, 1'000, Milliseconds{3'600'000}}};

class Rig {
 public:
  explicit Rig(Milliseconds timeout = Milliseconds{5'000}) {
    Config::Store config;
    config.url.kind = StoreUrl::Kind::redis;
    config.url.path = redis.socket();
    config.prefix = "policyd:";
    config.timeout = timeout;
    const auto self = [] {
      NodeInfo node;
      node.id = "test:1";
      return node;
    };
    store = std::make_unique<RedisStore>(loop, clock, mirror, config, self);
    REQUIRE(store->start().ok());
    REQUIRE(store->status().available);
  }
  ~Rig() {
    if (store) loop.run(store->stop());
  }

  // A charge of each of `count` messages, on accounts "0" to "9" in turn.
  std::vector<Charge> charges(size_t count) {
    std::vector<Charge> all;
    while (instances_.size() < count) instances_.push_back("i" + std::to_string(instances_.size()));
    for (size_t i = 0; i < count; ++i) {
      Charge& charge = all.emplace_back();
      charge.account = accounts_[i % accounts_.size()];
      charge.instance = instances_[i];
      charge.recipient = "a@x";
      charge.limits = &kLimits;
    }
    return all;
  }

  // All of them side by side.
  std::vector<ChargeResult> charge(const std::vector<Charge>& charges) {
    std::vector<Task<ChargeResult>> tasks;
    for (const Charge& charge : charges) tasks.push_back(store->charge(charge));
    std::vector<ChargeResult> results;
    for (const auto& result : loop.run(gather(loop, std::move(tasks), Milliseconds{20'000}))) {
      results.push_back(result.value());
    }
    return results;
  }

  int64_t used(std::string account) {
    const auto usage = loop.run(store->usage(std::move(account)));
    REQUIRE(usage.ok());
    return usage->usage.empty() ? 0 : usage->usage[0].used;
  }
  int64_t used_by_all() {
    int64_t sum = 0;
    for (const std::string& account : accounts_) sum += used(account);
    return sum;
  }

  RedisServer redis;
  TestLoop loop;
  FakeClock clock{SystemClock().wall()};
  Mirror mirror{clock};
  std::unique_ptr<RedisStore> store;

 private:
  const std::vector<std::string> accounts_{"0", "1", "2", "3", "4", "5", "6", "7", "8", "9"};
  std::deque<std::string> instances_;  // charges see into them
};

size_t local(const std::vector<ChargeResult>& results) {
  const auto is_local = [](const ChargeResult& one) { return one.local; };
  return static_cast<size_t>(std::count_if(results.begin(), results.end(), is_local));
}

TEST_CASE("redis charges: more at once than one run takes, each counted once") {
  Rig rig;
  const auto charges = rig.charges(kMany);
  for (int time = 0; time < 2; ++time) {
    const auto results = rig.charge(charges);
    CHECK(local(results) == 0);
    CHECK(std::all_of(results.begin(), results.end(), [](const ChargeResult& one) { return one.passed; }));
    CHECK(rig.used_by_all() == kMany);
  }
}

TEST_CASE("redis charges: of more than one run exactly the limit passes") {
  Rig rig;
  auto charges = rig.charges(kMany);
  const Limits limits{{Meter::messages, 200, Milliseconds{3'600'000}}};
  for (Charge& charge : charges) charge.account = "joe", charge.limits = &limits;
  const auto results = rig.charge(charges);
  CHECK(std::count_if(results.begin(), results.end(), [](const ChargeResult& one) { return one.passed; }) == 200);
  CHECK(rig.used("joe") == 200);
}

TEST_CASE("redis charges: an odd key does not send the store away, nor its neighbours") {
  Rig rig;
  CHECK(rig.redis.command({"RPUSH", "policyd:rate:{3}", "x"}) == ":1\r\n");
  CHECK(rig.redis.command({"SET", "policyd:rate:{4}", "something else"}) == "+OK\r\n");
  CHECK(rig.redis.command({"HSET", "policyd:message:{5}:i5", "a", "b"}) == ":1\r\n");
  const auto results = rig.charge(rig.charges(100));
  CHECK(local(results) == 0);
  CHECK(rig.store->status().available);
  CHECK(rig.used_by_all() == 100);
}

TEST_CASE("redis charges: a Redis that has forgotten the script is given it again") {
  Rig rig;
  CHECK(rig.redis.command({"SCRIPT", "FLUSH"}) == "+OK\r\n");
  CHECK(local(rig.charge(rig.charges(kMany))) == 0);
  CHECK(rig.store->status().available);
  CHECK(rig.used_by_all() == kMany);
}

TEST_CASE("redis charges: when Redis hangs, those in flight and those gathered are decided locally, and merged") {
  Rig rig(Milliseconds{200});
  rig.redis.pause();
  CHECK(local(rig.charge(rig.charges(kMany))) == kMany);
  rig.loop.turn_until([&] { return !rig.store->status().available; });
  CHECK(rig.store->status().detail == "away: no answer within 200ms");
  CHECK(rig.store->status().pending_merge == kMany);
  rig.redis.resume();
  rig.loop.turn_until([&] { return rig.store->status().available && rig.store->status().pending_merge == 0; });
  rig.loop.turn_until([&] { return rig.used_by_all() == kMany; });
}

TEST_CASE("redis charges: an error of Redis as a whole sends the store away, and it comes back") {
  Rig rig;
  CHECK(rig.redis.command({"CONFIG", "SET", "maxmemory", "1"}) == "+OK\r\n");
  CHECK(local(rig.charge(rig.charges(kMany))) == kMany);
  rig.loop.turn_until([&] { return !rig.store->status().available; });
  CHECK(rig.store->status().detail.starts_with("away: OOM "));
  CHECK(rig.redis.command({"CONFIG", "SET", "maxmemory", "0"}) == "+OK\r\n");
  rig.loop.turn_until([&] { return rig.store->status().available && rig.store->status().pending_merge == 0; });
  rig.loop.turn_until([&] { return rig.used_by_all() == kMany; });
}

TEST_CASE("redis charges: who does not wait for the answer is no trouble for the others") {
  Rig rig;
  const auto charges = rig.charges(3 * ChargeCommand::kMost);
  std::vector<Task<ChargeResult>> tasks;
  for (const Charge& charge : charges) {
    tasks.push_back(rig.store->charge(charge));
    tasks.back().start();
  }
  // Some have been sent already, some are only gathered: all of the last hundred, and every second one.
  std::vector<Task<ChargeResult>> left;
  for (size_t i = 0; i < tasks.size() - 100; i += 2) left.push_back(std::move(tasks[i]));
  tasks.clear();
  const auto done = [](const auto& task) { return task.done(); };
  rig.loop.turn_until([&] { return std::all_of(left.begin(), left.end(), done); });
  for (const auto& task : left) CHECK_FALSE(task.result().local);
  const auto results = rig.charge(charges);
  CHECK(local(results) == 0);
  CHECK(rig.used_by_all() == static_cast<int64_t>(charges.size()));
}

TEST_CASE("redis charges: a store that goes decides what still waits") {
  Rig rig;
  rig.redis.pause();
  const auto charges = rig.charges(ChargeCommand::kMost + 10);
  std::vector<Task<ChargeResult>> tasks;
  for (const Charge& charge : charges) {
    tasks.push_back(rig.store->charge(charge));
    tasks.back().start();
  }
  rig.store.reset();
  for (const auto& task : tasks) {
    REQUIRE(task.done());
    CHECK(task.result().local);
  }
}

}  // namespace
}  // namespace policyd
