// Many charges at once on the Redis store: runs of a bounded size, one odd key, a Redis that hangs or has forgotten
// the script, and those who do not wait for their answer.
#include "tests/contract/redis_rig.h"
#include "tests/support/captured_log.h"

namespace policyd {
namespace {

using test::local;
using Rig = test::RedisRig;

constexpr size_t kMany = 5 * ChargeCommand::kMost + 7;

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

TEST_CASE("redis charges: accounts with limits and signs of their own, as many at once as there may be") {
  Rig rig;
  auto charges = rig.charges(kMany);
  std::vector<Limits> limits(kMany), signs(kMany);
  for (size_t i = 0; i < kMany; ++i) {
    const auto maximum = static_cast<int64_t>(100 + i);
    limits[i] = {{Meter::messages, maximum, Milliseconds{3'600'000}}};
    signs[i] = {{Meter::distinct_recipients, maximum, Milliseconds{3'600'000}}};
    charges[i].limits = &limits[i];
    charges[i].signs = &signs[i];
  }
  const auto results = rig.charge(charges);
  CHECK(local(results) == 0);
  CHECK(std::all_of(results.begin(), results.end(), [](const ChargeResult& one) { return one.passed; }));
  CHECK(rig.store->status().uncounted == 0);
  CHECK(rig.used_by_all() == kMany);
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

TEST_CASE("redis charges: a key that holds no counters is listed as no usage, and warned of once") {
  Rig rig;
  rig.charge(rig.charges(3));
  CHECK(rig.redis.command({"HSET", "policyd:rate:{hash}", "a", "b"}) == ":1\r\n");
  CHECK(rig.redis.command({"SET", "policyd:rate:{old}", "something else"}) == "+OK\r\n");
  const test::CapturedLog log;
  for (int time = 0; time < 2; ++time) {
    const auto page = rig.loop.run(rig.store->list_usage(100));
    REQUIRE_MESSAGE(page.ok(), page.error().message);
    CHECK(page->accounts.size() == 3);
    CHECK(rig.used("hash") == 0);
    CHECK(rig.used("old") == 0);
  }
  auto warnings = log.warnings();
  std::sort(warnings.begin(), warnings.end());
  const std::string why = ": it holds no counters of policyd; taken for empty";
  CHECK(warnings == std::vector<std::string>{"warning: Redis key \"policyd:rate:{hash}\"" + why,
                                             "warning: Redis key \"policyd:rate:{old}\"" + why});
  CHECK(rig.loop.run(rig.store->reset_usage("hash")).value());
  rig.redis.kill();
  rig.loop.turn_until([&] { return !rig.store->status().available; });
  CHECK_FALSE(rig.loop.run(rig.store->list_usage(100)).ok());
  CHECK_FALSE(rig.loop.run(rig.store->usage("old")).ok());
}

TEST_CASE("redis charges: what Redis cannot count is decided here, counted, and told once for each connection") {
  Rig rig(Milliseconds{5'000}, {"--rename-command", "SETRANGE", ""});
  const test::CapturedLog log;
  const auto told = [&log] {
    const auto lines = log.warnings();
    return std::count_if(lines.begin(), lines.end(), [](const std::string& line) {
      return line.find(": a charge could not be counted and was decided on this node alone: ERR ") != std::string::npos;
    });
  };
  CHECK(local(rig.charge(rig.charges(10))) == 0);
  auto charges = rig.charges(20);
  charges.erase(charges.begin(), charges.begin() + 10);
  CHECK(local(rig.charge(charges)) == 10);
  CHECK(rig.store->status().available);
  CHECK(rig.store->status().uncounted == 10);
  CHECK(rig.store->status().pending_merge == 0);
  CHECK(told() == 1);
  CHECK(rig.redis.command({"CLIENT", "KILL", "TYPE", "normal"}).starts_with(":"));
  rig.loop.turn_until([&] { return !rig.store->status().available; });
  rig.loop.turn_until([&] { return rig.store->status().available; });
  CHECK(local(rig.charge(charges)) == 10);
  CHECK(rig.store->status().uncounted == 20);
  CHECK(told() == 2);
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
