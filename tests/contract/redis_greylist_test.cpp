// Greylisting on Redis alone: two nodes that never disagree, what is stored and when it expires, what somebody else
// wrote there, a Redis that has forgotten the script, hangs or is gone.
#include <doctest/doctest.h>

#include <map>

#include "policyd/async/gather.h"
#include "tests/contract/redis_node.h"
#include "tests/support/fake_clock.h"
#include "tests/support/greylist_attempt.h"
#include "tests/support/redis_server.h"
#include "tests/support/run_task.h"

namespace policyd {
namespace {

using Outcome = GreylistResult::Outcome;
using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;
using test::FakeClock;
using test::RedisServer;
using test::TestLoop;

constexpr const char* kTriplet = "policyd:grey:{192.0.2.0/24}:ann@example.org>bob@example.com";
constexpr const char* kClient = "policyd:grey:{192.0.2.0/24}";

GreylistAttempt attempt() {
  GreylistAttempt attempt = test::greylist_attempt();
  attempt.instance = "1f.2a";
  return attempt;
}

struct Node {
  Mirror mirror;
  RedisStore store;

  Node(TestLoop& loop, const FakeClock& clock, const Config::Store& config, const std::string& id)
      : mirror(clock), store(loop, clock, mirror, config, test::node_named(id)) {
    REQUIRE(store.start().ok());
    REQUIRE(store.status().available);
  }
};

struct Rig {
  RedisServer redis;
  TestLoop loop;
  FakeClock clock{SystemClock().wall()};
  Config::Store config;
  std::map<int, std::unique_ptr<Node>> nodes;

  explicit Rig(Milliseconds timeout = Milliseconds{5'000}) {
    config = test::redis_config(redis.socket(), timeout);
    node(1);
  }
  ~Rig() {
    for (const auto& [number, node] : nodes) loop.run(node->store.stop());
  }

  Node& node(int number) {
    auto& made = nodes[number];
    if (!made) made = std::make_unique<Node>(loop, clock, config, "mx" + std::to_string(number) + ":1");
    return *made;
  }
  GreylistResult ask(int number = 1, const GreylistAttempt& asked = attempt()) {
    return loop.run(node(number).store.greylist(asked));
  }
  // As if the record had been written `ago` before now: Redis' clock cannot be turned.
  void write_waiting(Milliseconds ago) { write(kTriplet, "waiting " + before_now(ago) + " 00"); }
  void write_passed(Milliseconds ago) { write(kTriplet, "passed " + before_now(ago)); }
  static std::string before_now(Milliseconds ago) {
    return std::to_string((SystemClock().wall() - ago).time_since_epoch().count());
  }
  void write(const char* key, const std::string& value) { CHECK(redis.command({"SET", key, value}) == "+OK\r\n"); }
  // Without the length.
  std::string read(const char* key) {
    const std::string reply = redis.command({"GET", key});
    const size_t line = reply.find("\r\n");
    return reply.starts_with("$-1") ? "" : reply.substr(line + 2, reply.size() - line - 4);
  }
  Milliseconds ttl(const char* key) { return Milliseconds(std::stoll(redis.command({"PTTL", key}).substr(1))); }
};

bool about(Milliseconds left, Milliseconds expected) { return left <= expected && left > expected - seconds(20); }

TEST_CASE("redis greylist: two nodes never disagree") {
  Rig rig;
  CHECK(rig.ask(1).outcome == Outcome::first);
  const GreylistResult early = rig.ask(2);
  CHECK(early.outcome == Outcome::early);
  CHECK(about(early.wait, minutes(4)));
  rig.write_waiting(minutes(4));
  CHECK(rig.ask(2).outcome == Outcome::passed);
  CHECK(rig.ask(1).outcome == Outcome::known);
  rig.write_passed(hours(30 * 24));
  CHECK(rig.ask(2).outcome == Outcome::known);
  rig.write_passed(hours(36 * 24) + seconds(1));
  const GreylistResult anew = rig.ask(1);
  CHECK(anew.outcome == Outcome::first);
  CHECK(anew.wait == minutes(4));
}

TEST_CASE("redis greylist: of first attempts on two nodes at once one is the first") {
  Rig rig;
  std::vector<Task<GreylistResult>> tasks;
  const GreylistAttempt asked = attempt();
  for (int i = 0; i < 20; ++i) tasks.push_back(rig.node(1 + i % 2).store.greylist(asked));
  int first = 0;
  for (const auto& result : rig.loop.run(gather(rig.loop, std::move(tasks), Milliseconds{20'000}))) {
    REQUIRE(result.has_value());
    first += result->outcome == Outcome::first;
    CHECK(result->waits());
  }
  CHECK(first == 1);
}

TEST_CASE("redis greylist: all that is stored can be read, and expires by itself") {
  Rig rig;
  rig.ask();
  CHECK(rig.read(kTriplet).starts_with("waiting 1"));
  CHECK(about(rig.ttl(kTriplet), minutes(360)));
  CHECK(rig.read(kClient).empty());

  // Another message's early attempt does not make it live longer.
  rig.write_waiting(minutes(3));
  GreylistAttempt other = attempt();
  other.instance = "1f.2b";
  CHECK(about(rig.ask(1, other).wait, minutes(1)));
  CHECK(about(rig.ttl(kTriplet), minutes(357)));

  rig.write_waiting(minutes(5));
  CHECK(rig.ask().outcome == Outcome::passed);
  CHECK(rig.read(kTriplet).starts_with("passed 1"));
  CHECK(rig.read(kClient).starts_with("1 1"));
  for (const char* key : {kTriplet, kClient}) CHECK(about(rig.ttl(key), hours(24 * 36)));

  CHECK(rig.redis.command({"PEXPIRE", kTriplet, "60000"}) == ":1\r\n");
  CHECK(rig.ask().outcome == Outcome::known);
  CHECK(about(rig.ttl(kTriplet), hours(24 * 36)));
}

TEST_CASE("redis greylist: a dry run writes nothing") {
  Rig rig;
  GreylistAttempt dry = attempt();
  dry.dry_run = true;
  CHECK(rig.ask(1, dry).outcome == Outcome::first);
  CHECK(rig.read(kTriplet).empty());
  rig.write_waiting(minutes(5));
  const std::string before = rig.read(kTriplet);
  CHECK(rig.ask(1, dry).outcome == Outcome::passed);
  CHECK(rig.read(kTriplet) == before);
  CHECK(rig.read(kClient).empty());
}

TEST_CASE("redis greylist: what somebody else wrote is taken for nothing, and written over") {
  const std::string later = std::to_string((SystemClock().wall() + hours(1)).time_since_epoch().count());
  for (const std::string& odd : {std::string("x"), std::string(""), std::string("waiting"), std::string("waiting x"),
                                 std::string("passed"), "passed " + later, "waiting " + later + " 00"}) {
    CAPTURE(odd);
    Rig rig;
    rig.write(kTriplet, odd);
    rig.write(kClient, odd);
    const GreylistResult result = rig.ask();
    CHECK(result.outcome == Outcome::first);
    CHECK(result.wait == minutes(4));
    CHECK(rig.ask().outcome == Outcome::early);
  }
  Rig rig;
  CHECK(rig.redis.command({"HSET", kTriplet, "a", "b"}) == ":1\r\n");
  CHECK(rig.redis.command({"SADD", kClient, "a"}) == ":1\r\n");
  CHECK(rig.ask().outcome == Outcome::first);
  CHECK(rig.ask().outcome == Outcome::early);
}

TEST_CASE("redis greylist: a Redis that has forgotten the script is given it again") {
  Rig rig;
  rig.ask();
  CHECK(rig.redis.command({"SCRIPT", "FLUSH"}) == "+OK\r\n");
  CHECK(rig.ask().outcome == Outcome::early);
}

TEST_CASE("redis greylist: without Redis everybody passes, at once") {
  Rig rig(Milliseconds{100});
  rig.ask();
  rig.redis.pause();
  CHECK(rig.ask().outcome == Outcome::unknown);  // the one that waited for it
  rig.loop.turn_until([&rig] { return !rig.nodes[1]->store.status().available; });
  CHECK(rig.ask().outcome == Outcome::unknown);
  rig.redis.kill();
  CHECK(rig.ask().outcome == Outcome::unknown);
}

}  // namespace
}  // namespace policyd
