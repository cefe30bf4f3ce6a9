// How locks in Redis end: behind this node's back, by something else in their key, and not by a lifting that fails.
#include <doctest/doctest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "tests/contract/redis_rig.h"
#include "tests/support/captured_log.h"
#include "tests/support/lock_requests.h"

namespace policyd {
namespace {

using test::lock_by_hand;
using test::lock_for_a_sign;

const std::string kJoe = "joe@example.com";
const std::string kKey = "policyd:lock:{joe@example.com}";

// A node whose clock is the test's.
struct Rig : test::RedisRig {
  Rig() {
    sign.kind = Charge::Kind::sign;
    sign.signs = &signs;
    sign.meter = Meter::spam;
  }
  // Whether joe is over his limit of signs, once so many more are counted.
  bool is_over(int64_t more = 0) {
    sign.amount = more;
    return loop.run(store->charge(sign)).sign.has_value();
  }
  void lock(const LockRequest& request) { REQUIRE(loop.run(store->lock(request)).ok()); }
  [[nodiscard]] std::string reason() const {
    const Lock* lock = mirror.lock(kJoe);
    return lock ? lock->reason : "not locked";
  }
  void until_reason(const std::string& wanted) {
    loop.turn_until([&] { return reason() == wanted; });
  }
  void change(const std::vector<std::string>& command) const {
    CHECK_MESSAGE(!redis.command(command).starts_with("-"), command[0]);
  }
  void until_away() {
    loop.turn_until([&] { return !store->status().available; });
  }
  void until_back() {
    loop.turn_until([&] { return store->status().available; });
  }
  std::vector<LockEvent> history() {
    const auto events = loop.run(store->lock_history(kJoe));
    REQUIRE(events.ok());
    return *events;
  }

  test::CapturedLog log;
  const Limits none, signs{{Meter::spam, 1, std::chrono::hours(24)}};
  Charge sign = test::recipient_charge(kJoe, "", {}, 0, &none);
};

TEST_CASE("redis lock end: a TTL that passed while Redis was away lifts as DEL does, however long it was away") {
  Rig rig;
  CHECK(rig.is_over(2));
  rig.lock(lock_for_a_sign(kJoe));
  rig.change({"PEXPIRE", kKey, "600000"});
  const WallTime soon = rig.clock.wall() + std::chrono::minutes(11);
  rig.loop.turn_until([&] { return rig.mirror.lock(kJoe)->until < soon; });
  rig.clock.advance(std::chrono::minutes(12));
  CHECK(rig.reason() == "not locked");
  CHECK(rig.is_over());
  // Whoever is told of the key is gone before it goes.
  for (const char* type : {"normal", "pubsub"}) rig.change({"CLIENT", "KILL", "TYPE", type});
  rig.change({"DEL", kKey});
  rig.loop.turn_until([&] { return rig.mirror.over_locks().empty(); });
  rig.until_back();
  CHECK_FALSE(rig.is_over());
  REQUIRE(rig.history().size() == 2);
  CHECK(rig.history()[0].kind == LockEvent::Kind::lifted);
}

TEST_CASE("redis lock end: a lock that is over, and that nobody has ended yet, is not taken for one that was lifted") {
  Rig rig;
  rig.lock(lock_for_a_sign(kJoe));
  rig.clock.advance(std::chrono::hours(2));
  CHECK(rig.reason() == "not locked");
  for (const char* type : {"normal", "pubsub"}) rig.change({"CLIENT", "KILL", "TYPE", type});
  rig.until_away();
  rig.until_back();
  CHECK(rig.mirror.over_locks().size() == 1);
  REQUIRE(rig.history().size() == 1);
  CHECK(rig.history()[0].kind == LockEvent::Kind::locked);
}

TEST_CASE("redis lock end: what is no hash and stands in its key lifts nothing") {
  Rig rig;
  CHECK(rig.is_over(2));
  rig.lock(lock_for_a_sign(kJoe));
  SUBCASE("as Redis tells of it") {}
  SUBCASE("as it is found when Redis is back") {
    for (const char* type : {"normal", "pubsub"}) rig.change({"CLIENT", "KILL", "TYPE", type});
  }
  rig.change({"SET", kKey, "x"});
  rig.until_reason("not locked");
  rig.until_back();
  const auto& lines = rig.log.lines();
  CHECK(std::count(lines.begin(), lines.end(),
                   "warning: Redis key \"" + kKey + "\": it is not a hash (write it with HSET); ignored") == 1);
  CHECK(rig.is_over());
  CHECK(rig.redis.command({"GET", kKey}) == "$1\r\nx\r\n");
  REQUIRE(rig.history().size() == 1);
  CHECK(rig.history()[0].kind == LockEvent::Kind::locked);
}

TEST_CASE("redis lock end: a lifting that fails leaves the signs that were counted without Redis") {
  Rig rig;
  rig.lock(lock_by_hand(kJoe));
  rig.redis.kill();
  rig.until_away();
  CHECK(rig.is_over(2));
  CHECK_FALSE(rig.loop.run(rig.store->unlock(kJoe, "ann")).ok());
  CHECK(rig.reason() == "phished");
  CHECK(rig.is_over());
}

TEST_CASE("redis lock end: a lock that waits for Redis is lifted by itself only where it is the only one") {
  Rig rig;
  rig.redis.kill();
  rig.until_away();
  CHECK(rig.is_over(2));
  rig.lock(lock_for_a_sign(kJoe));
  SUBCASE("its signs go with it") {
    REQUIRE(rig.loop.run(rig.store->unlock(kJoe, "ann")).ok());
    CHECK(rig.reason() == "not locked");
    CHECK_FALSE(rig.is_over());
  }
  SUBCASE("and waits on where another is known, and that one cannot be lifted") {
    rig.redis.start();
    rig.change({"HSET", kKey, "reason", "phished"});
    rig.until_reason("phished");
    rig.redis.kill();
    rig.until_away();
    CHECK_FALSE(rig.loop.run(rig.store->unlock(kJoe, "ann")).ok());
    CHECK(rig.reason() == "phished");
    rig.redis.start();
    rig.until_back();
    rig.until_reason("distinct_recipients");
    REQUIRE(rig.loop.run(rig.store->end_locks()).ok());
    CHECK(rig.redis.command({"HGET", kKey, "reason"}) == "$19\r\ndistinct_recipients\r\n");
  }
}

}  // namespace
}  // namespace policyd
