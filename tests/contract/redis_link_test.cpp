// The link to Redis with a user in the hands of the test: the heartbeat goes on while Redis catches up, and only a
// heartbeat that Redis took is one.
#include "policyd/store/redis_link.h"

#include <doctest/doctest.h>

#include "tests/support/fake_clock.h"
#include "tests/support/gate.h"
#include "tests/support/redis_server.h"
#include "tests/support/run_task.h"

namespace policyd {
namespace {

using State = RedisLink::State;

struct User final : RedisLink::User {
  void opened(RedisConnection&, const std::string&) override {}
  void closed() override {}
  void end_of_turn() override {}
  Task<std::optional<size_t>> catch_up() override {
    auto passing = gate.pass();
    co_await passing;
    co_return 0;
  }
  Task<void> caught_up() override {
    ++times_caught_up;
    co_return;
  }
  void changed(const RedisReply&) override {}
  NodeInfo self() override {
    NodeInfo node;
    node.id = "test:1";
    return node;
  }
  void beat() override { ++beats; }

  test::Gate gate;
  int times_caught_up = 0;
  int beats = 0;
};

struct Rig {
  Rig() {
    config.url.kind = StoreUrl::Kind::redis;
    config.url.path = redis.socket();
    config.timeout = Milliseconds{5'000};
  }
  [[nodiscard]] std::string last_seen() const { return redis.command({"HGET", "policyd:nodes", "test:1"}); }
  Task<void> recovered() {
    auto recovered = link.recovered();
    co_await recovered;
  }

  test::RedisServer redis;
  Config::Store config;
  test::TestLoop loop;
  test::FakeClock clock{SystemClock().wall()};
  const Keys keys{"policyd:"};
  User user;
  RedisLink link{loop, clock, config, keys, user};
};

TEST_CASE("redis link: the heartbeat goes on while Redis catches up") {
  Rig rig;
  rig.link.start();
  rig.loop.turn_until([&] { return rig.user.gate.waiting() == 1; });
  CHECK(rig.link.state() == State::catching_up);
  const std::string first = rig.last_seen();
  rig.loop.turn_until([&] { return rig.last_seen() != first; });
  CHECK(rig.link.state() == State::catching_up);
  CHECK(rig.user.gate.waiting() == 1);
  rig.user.gate.open();
  CHECK(rig.link.serving());
  CHECK(rig.user.times_caught_up == 1);
}

TEST_CASE("redis link: a node that was seen in the future is forgotten, as one that is silent is") {
  Rig rig;
  rig.user.gate.open();
  const int64_t now = rig.clock.wall().time_since_epoch().count(), hour = 3'600'000;
  const auto put = [&](const char* node, int64_t seen) {
    return rig.redis.command({"HSET", "policyd:nodes", node, std::to_string(seen) + "|{}"});
  };
  CHECK(put("late", now + hour) == ":1\r\n");
  CHECK(put("silent", now - hour) == ":1\r\n");
  CHECK(put("there", now) == ":1\r\n");
  rig.link.start();
  rig.loop.turn_until([&] { return rig.link.serving(); });
  CHECK(rig.redis.command({"HEXISTS", "policyd:nodes", "late"}) == ":0\r\n");
  CHECK(rig.redis.command({"HEXISTS", "policyd:nodes", "silent"}) == ":0\r\n");
  CHECK(rig.redis.command({"HEXISTS", "policyd:nodes", "there"}) == ":1\r\n");
  CHECK(rig.redis.command({"HLEN", "policyd:nodes"}) == ":2\r\n");
}

TEST_CASE("redis link: keys of another type do not keep the nodes away") {
  Rig rig;
  rig.user.gate.open();
  CHECK(rig.redis.command({"SET", "policyd:nodes", "x"}) == "+OK\r\n");
  CHECK(rig.redis.command({"RPUSH", "policyd:elements", "x"}) == ":1\r\n");
  rig.link.start();
  rig.loop.turn_until([&] { return rig.link.serving(); });
  CHECK(rig.redis.command({"HLEN", "policyd:nodes"}) == ":1\r\n");
  CHECK(rig.redis.command({"STRLEN", "policyd:elements"}) == ":16\r\n");
}

TEST_CASE("redis link: who stops can wait until Redis has caught up") {
  Rig rig;
  rig.link.start();
  rig.loop.turn_until([&] { return rig.link.state() == State::catching_up; });
  rig.link.stop();
  {
    const auto dropped = rig.recovered();
    dropped.start();
  }
  const auto waiting = rig.recovered();
  waiting.start();
  CHECK_FALSE(waiting.done());
  rig.user.gate.open();
  CHECK(waiting.done());
  CHECK(rig.link.serving());
  rig.loop.run(rig.recovered());
}

TEST_CASE("redis link: scripts that had to be loaded anew are no heartbeat") {
  Rig rig;
  rig.user.gate.open();
  rig.link.start();
  rig.loop.turn_until([&] { return rig.link.serving(); });
  CHECK(rig.redis.command({"CONFIG", "SET", "maxmemory", "1"}) == "+OK\r\n");
  rig.loop.turn_until([&] { return !rig.link.serving(); });
  CHECK(rig.redis.command({"SCRIPT", "FLUSH"}) == "+OK\r\n");
  const int beats = rig.user.beats;
  rig.loop.turn_until([&] { return rig.user.beats == beats + 2; });
  CHECK(rig.link.state() == State::open);
  CHECK(rig.link.reason().starts_with("OOM "));
  CHECK(rig.user.times_caught_up == 1);
  CHECK(rig.redis.command({"SCRIPT", "FLUSH"}) == "+OK\r\n");
  CHECK(rig.redis.command({"CONFIG", "SET", "maxmemory", "0"}) == "+OK\r\n");
  rig.loop.turn_until([&] { return rig.link.serving(); });
}

}  // namespace
}  // namespace policyd
