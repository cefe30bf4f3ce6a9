// Locks in Redis: written by hand, shared by two nodes, and made while Redis is away.
#include <doctest/doctest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "tests/contract/redis_node.h"
#include "tests/support/captured_log.h"
#include "tests/support/charges.h"
#include "tests/support/fake_clock.h"
#include "tests/support/lock_requests.h"
#include "tests/support/redis_server.h"
#include "tests/support/run_task.h"

namespace policyd {
namespace {

using test::lock_by_hand;
using test::lock_for_a_sign;
using test::redis_config;

const std::string kJoe = "joe@example.com";
const std::string kKey = "policyd:lock:{joe@example.com}";
const std::string kOtherForm = "policyd:lock:{Joe@Example.COM}";
const std::string kUnlocks = "policyd:unlocks:{joe@example.com}";
const std::string kHistory = "policyd:history:{joe@example.com}";

// One of the nodes that share a Redis.
struct Node {
  Node(test::TestLoop& loop_, const test::RedisServer& redis, const std::string& id)
      : loop(loop_), store(loop, clock, mirror, redis_config(redis.socket()), test::node_named(id)) {
    REQUIRE(store.start().ok());
    REQUIRE(store.status().available);
  }
  ~Node() { loop.run(store.stop()); }

  [[nodiscard]] bool locked() const { return mirror.lock(kJoe) != nullptr; }
  [[nodiscard]] std::string reason() const { return locked() ? mirror.lock(kJoe)->reason : "not locked"; }
  void until_locked(bool wanted = true) {
    loop.turn_until([&] { return locked() == wanted; });
  }
  LockOutcome lock(const LockRequest& request) {
    const auto outcome = loop.run(store.lock(request));
    if (!outcome) FAIL(outcome.error().message);
    return *outcome;
  }
  std::vector<Lock> end() { return *loop.run(store.end_locks()); }

  test::TestLoop& loop;
  SystemClock clock;
  Mirror mirror{clock};
  RedisStore store;
};

struct Rig {
  int64_t integer(const std::vector<std::string>& command) const {
    const std::string reply = redis.command(command);
    REQUIRE(reply.starts_with(":"));
    return std::stoll(reply.substr(1));
  }
  void change(const std::vector<std::string>& command) const {
    CHECK_MESSAGE(!redis.command(command).starts_with("-"), command[0]);
  }
  // The lock's time is over by Redis' own field.
  void let_run_out() const { change({"HSET", kKey, "until", format_time(SystemClock().wall() - Milliseconds(5000))}); }

  test::CapturedLog log;
  test::TestLoop loop;
  test::RedisServer redis;
};

TEST_CASE("redis locks: HSET alone locks until it is lifted, and DEL lifts") {
  Rig rig;
  Node node(rig.loop, rig.redis, "mx1:1");
  rig.change({"HSET", kKey, "reason", "phished"});
  node.until_locked();
  CHECK(node.reason() == "phished");
  CHECK_FALSE(node.mirror.lock(kJoe)->until.has_value());
  const LockOutcome outcome = node.lock(lock_for_a_sign(kJoe));
  CHECK_FALSE(outcome.made);
  CHECK(outcome.lock.reason == "phished");
  rig.change({"DEL", kKey});
  node.until_locked(false);
  CHECK(node.end().empty());
  CHECK(node.lock(lock_for_a_sign(kJoe)).made);
}

// The signs are counted anew, else they would make it again with the next mail; and the history knows.
TEST_CASE("redis locks: DEL lifts what a sign has made, for every node and for good") {
  Rig rig;
  Node node(rig.loop, rig.redis, "mx1:1");
  Node other(rig.loop, rig.redis, "mx2:2");
  const Limits none, signs{{Meter::spam, 1, std::chrono::hours(1)}};
  Charge charge = test::recipient_charge(kJoe, "", {}, 0, &none);
  charge.kind = Charge::Kind::sign;
  charge.signs = &signs;
  charge.meter = Meter::spam;
  charge.amount = 2;
  CHECK(rig.loop.run(node.store.charge(charge)).sign == signs[0]);
  charge.amount = 0;
  CHECK(node.lock(lock_for_a_sign(kJoe)).made);
  other.until_locked();
  rig.change({"DEL", kKey});
  node.until_locked(false);
  other.until_locked(false);
  for (Node* one : {&node, &other}) CHECK_FALSE(rig.loop.run(one->store.charge(charge)).sign.has_value());
  const auto events = rig.loop.run(other.store.lock_history(kJoe));
  REQUIRE(events.ok());
  REQUIRE(events->size() == 2);
  CHECK(events->at(0).kind == LockEvent::Kind::lifted);
  CHECK(events->at(0).by == "redis-cli");
  CHECK(events->at(0).lock.reason == "distinct_recipients");
}

TEST_CASE("redis locks: whatever stands in the hash, it can be lifted, and its end is read one way") {
  Rig rig;
  Node node(rig.loop, rig.redis, "mx1:1");
  std::vector<std::string> many{"HSET", kKey};
  for (int field = 0; field < 9'000; ++field) {
    many.push_back("field" + std::to_string(field));
    many.emplace_back("x");
  }
  for (const std::vector<std::string>& command :
       {many, {"HSET", kKey, "until", "2001-13-01T00:00:00Z"}, {"HSET", kKey, "until", "0000-00-00T00:00:00Z"},
        {"HSET", kKey, "until", "2001-02-29T00:00:00Z"}, {"HSET", kKey, "until", "2001-01-01T24:00:00Z"}}) {
    CAPTURE(command.back());
    rig.change(command);
    node.until_locked();
    CHECK(node.end().empty());
    const auto lifted = rig.loop.run(node.store.unlock(kJoe, "ann"));
    REQUIRE(lifted.ok());
    CHECK(lifted->has_value());
    CHECK_FALSE(node.locked());
    CHECK(node.end().empty());
    CHECK(rig.integer({"EXISTS", kKey}) == 0);
  }
}

TEST_CASE("redis locks: a TTL, an end, and FLUSHDB do what they do to blocks") {
  Rig rig;
  Node node(rig.loop, rig.redis, "mx1:1");
  rig.change({"HSET", kKey, "reason", "phished"});
  rig.change({"EXPIRE", kKey, "3600"});
  rig.loop.turn_until([&] { return node.locked() && node.mirror.lock(kJoe)->until.has_value(); });
  const WallTime end = *node.mirror.lock(kJoe)->until;
  CHECK(end > node.clock.wall() + std::chrono::minutes(59));
  CHECK(end < node.clock.wall() + std::chrono::minutes(61));
  rig.change({"PEXPIRE", kKey, "50"});
  node.until_locked(false);
  rig.change({"HSET", kKey, "until", format_time(node.clock.wall() + std::chrono::hours(2))});
  node.until_locked();
  REQUIRE(node.mirror.lock(kJoe)->until);
  CHECK(*node.mirror.lock(kJoe)->until > node.clock.wall() + std::chrono::minutes(119));
  rig.change({"FLUSHDB"});
  node.until_locked(false);
}

TEST_CASE("redis locks: a key in another form locks too, and is lifted with the lock") {
  Rig rig;
  Node node(rig.loop, rig.redis, "mx1:1");
  rig.change({"HSET", kOtherForm, "reason", "phished"});
  node.until_locked();
  rig.change({"HSET", kKey, "reason", "spam"});
  rig.loop.turn_until([&] { return node.reason() == "spam"; });
  rig.change({"DEL", kKey});
  rig.loop.turn_until([&] { return node.reason() == "phished"; });
  const auto lifted = rig.loop.run(node.store.unlock(kJoe, "ann"));
  REQUIRE(lifted.ok());
  REQUIRE(lifted->has_value());
  CHECK((*lifted)->reason == "phished");
  CHECK_FALSE(node.locked());
  CHECK(rig.integer({"EXISTS", kKey, kOtherForm}) == 0);
}

TEST_CASE("redis locks: what a hand wrote wrong is told once, and locks all the same") {
  Rig rig;
  Node node(rig.loop, rig.redis, "mx1:1");
  rig.change({"HSET", kKey, "until", "tomorrow"});
  node.until_locked();
  rig.change({"SET", "policyd:lock:{ann@example.com}", "phished"});
  const std::string warned = "warning: Redis key \"" + kKey + "\": until \"tomorrow\" is not a time such as "
                             "2026-11-21T10:00:00Z; it locks until it is lifted; ignored";
  const std::string odd =
      "warning: Redis key \"policyd:lock:{ann@example.com}\": it is not a hash (write it with HSET); ignored";
  const auto told = [&lines = rig.log.lines()](const std::string& line) {
    return std::count(lines.begin(), lines.end(), line);
  };
  rig.loop.turn_until([&] { return told(odd) == 1; });
  CHECK(told(warned) == 1);
  CHECK(node.mirror.lock("ann@example.com") == nullptr);
  CHECK(node.lock(lock_for_a_sign("ann@example.com")).made);
  CHECK(node.end().empty());
}

TEST_CASE("redis locks: of two nodes one makes a lock, both know it, and one is told of its end") {
  Rig rig;
  Node first(rig.loop, rig.redis, "mx1:1"), second(rig.loop, rig.redis, "mx2:1");
  auto one = first.store.lock(lock_for_a_sign(kJoe, "spam")), other = second.store.lock(lock_for_a_sign(kJoe, "bytes"));
  one.start(), other.start();
  rig.loop.turn_until([&] { return one.done() && other.done(); });
  const auto made = one.result(), seen = other.result();
  REQUIRE(made.ok());
  REQUIRE(seen.ok());
  CHECK(made->made != seen->made);
  CHECK(made->lock.reason == seen->lock.reason);
  CHECK(first.reason() == second.reason());

  rig.let_run_out();
  rig.loop.turn_until([&] { return !first.locked() && !second.locked(); });
  auto ending = first.store.end_locks(), ending_too = second.store.end_locks();
  ending.start(), ending_too.start();
  rig.loop.turn_until([&] { return ending.done() && ending_too.done(); });
  CHECK(ending.result()->size() + ending_too.result()->size() == 1);
  CHECK(first.end().empty());
  CHECK(second.end().empty());
  CHECK(rig.redis.command({"GET", kUnlocks}) == "$1\r\n1\r\n");
}

TEST_CASE("redis locks: a node that starts later knows the locks that are there") {
  Rig rig;
  const Node first(rig.loop, rig.redis, "mx1:1");
  rig.change({"HSET", kKey, "reason", "phished"});
  const Node second(rig.loop, rig.redis, "mx2:1");
  CHECK(second.reason() == "phished");
}

TEST_CASE("redis locks: all that is kept expires by itself, but a lock without an end") {
  Rig rig;
  Node node(rig.loop, rig.redis, "mx1:1");
  constexpr int64_t kDay = 86'400'000;
  node.lock(lock_for_a_sign(kJoe));
  CHECK(rig.integer({"PTTL", kKey}) > 90 * kDay);
  CHECK(rig.integer({"PTTL", kKey}) <= 90 * kDay + 3'602'000);
  rig.let_run_out();
  node.until_locked(false);
  CHECK(node.end().size() == 1);
  CHECK(rig.integer({"EXISTS", kKey}) == 0);
  for (const std::string& key : {kUnlocks, kHistory}) {
    CHECK(rig.integer({"PTTL", key}) > 89 * kDay);
    CHECK(rig.integer({"PTTL", key}) <= 90 * kDay);
  }
  LockRequest request = lock_for_a_sign(kJoe);
  request.max_unlocks = 1;
  CHECK(node.lock(request).lock.unlocks == 1);
  CHECK(rig.integer({"PTTL", kKey}) == -1);
  CHECK(rig.integer({"EXISTS", kUnlocks}) == 0);  // the count is in the lock
}

TEST_CASE("redis locks: keys of another type make way") {
  Rig rig;
  Node node(rig.loop, rig.redis, "mx1:1");
  for (const std::string& key : {kKey, kUnlocks, kHistory}) rig.change({"SADD", key, "x"});
  CHECK(node.lock(lock_for_a_sign(kJoe)).made);
  CHECK(node.locked());
  const auto events = rig.loop.run(node.store.lock_history(kJoe));
  REQUIRE(events.ok());
  CHECK(events->size() == 1);
  rig.change({"DEL", kHistory});
  rig.change({"SET", kHistory, "x"});
  CHECK(rig.loop.run(node.store.lock_history(kJoe))->empty());
}

TEST_CASE("redis locks: made while Redis is away, a lock is in force here at once, and in Redis when it is back") {
  Rig rig;
  Node node(rig.loop, rig.redis, "mx1:1");
  rig.redis.kill();
  rig.loop.turn_until([&] { return !node.store.status().available; });
  const auto refused = rig.loop.run(node.store.lock(lock_by_hand(kJoe)));
  REQUIRE(!refused.ok());
  CHECK(refused.error().message.starts_with("the store redis+unix://"));
  CHECK_FALSE(node.locked());

  const LockOutcome held = node.lock(lock_for_a_sign(kJoe));
  CHECK(held.made);
  CHECK(node.reason() == "distinct_recipients");
  CHECK_FALSE(node.lock(lock_for_a_sign(kJoe)).made);
  rig.redis.start();
  rig.loop.turn_until([&] { return node.store.status().available; });
  CHECK(node.locked());
  CHECK(node.end().empty());
  CHECK(node.locked());
  CHECK(rig.redis.command({"HGET", kKey, "reason"}) == "$19\r\ndistinct_recipients\r\n");
  rig.change({"DEL", kKey});
  node.until_locked(false);
}

TEST_CASE("redis locks: one that was made here and is lifted before Redis is back never comes there") {
  Rig rig;
  Node node(rig.loop, rig.redis, "mx1:1");
  rig.redis.kill();
  rig.loop.turn_until([&] { return !node.store.status().available; });
  node.lock(lock_for_a_sign(kJoe));
  const auto lifted = rig.loop.run(node.store.unlock(kJoe, "ann"));
  REQUIRE(lifted.ok());
  CHECK(lifted->has_value());
  CHECK_FALSE(node.locked());
  CHECK_FALSE(rig.loop.run(node.store.unlock(kJoe, "ann")).ok());
  rig.redis.start();
  rig.loop.turn_until([&] { return node.store.status().available; });
  CHECK(node.end().empty());
  CHECK(rig.integer({"EXISTS", kKey}) == 0);
}

TEST_CASE("redis locks: one that another node has made meanwhile stays") {
  Rig rig;
  Node node(rig.loop, rig.redis, "mx1:1");
  rig.redis.kill();
  rig.loop.turn_until([&] { return !node.store.status().available; });
  node.lock(lock_for_a_sign(kJoe));
  rig.redis.start();
  rig.change({"HSET", kKey, "reason", "phished"});
  rig.loop.turn_until([&] { return node.store.status().available; });
  CHECK(node.end().empty());
  CHECK(node.reason() == "phished");
  CHECK(rig.redis.command({"HGET", kKey, "reason"}) == "$7\r\nphished\r\n");
}

TEST_CASE("redis locks: one that Redis could never be told of is named when the store ends") {
  Rig rig;
  {
    Node node(rig.loop, rig.redis, "mx1:1");
    rig.redis.kill();
    rig.loop.turn_until([&] { return !node.store.status().available; });
    node.lock(lock_for_a_sign(kJoe));
  }
  REQUIRE(!rig.log.lines().empty());
  CHECK(rig.log.lines().back() == "error: store " + rig.redis.url() + ": the lock of \"joe@example.com\" "
                                  "(\"distinct_recipients\") was made while it was away, and is lost");
}

}  // namespace
}  // namespace policyd
