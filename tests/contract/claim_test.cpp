// The contract of claims: one node has it, for a time; and what holds while Redis is away.
#include "tests/contract/store_rig.h"
#include "tests/contract/trouble_rig.h"

namespace policyd {
namespace {

using std::chrono::hours;
using test::on_every_store;
using test::StoreRig;

TEST_CASE("store: a claim is given once, until its time is over") {
  on_every_store([](StoreRig& rig) {
    CHECK(rig.run(rig.store->claim("limit:joe@example.com", hours(1))));
    CHECK_FALSE(rig.run(rig.store->claim("limit:joe@example.com", hours(1))));
    CHECK(rig.run(rig.store->claim("limit:ann@example.com", hours(1))));
    CHECK(rig.run(rig.store->claim("", hours(1))));
    CHECK(rig.run(rig.store->claim(std::string("a\0b\r\n", 5), hours(1))));
    CHECK_FALSE(rig.run(rig.store->claim(std::string("a\0b\r\n", 5), hours(1))));

    CHECK(rig.run(rig.store->claim("short", Milliseconds(1))));
    rig.clock.advance(Milliseconds(1));
    bool free = false;
    rig.loop.turn_until([&] { return free = free || rig.run(rig.store->claim("short", Milliseconds(1))); });
  });
}

TEST_CASE("redis trouble: while Redis is away a claim is this node's own, and stays so when it is back") {
  test::TroubleRig rig;
  rig.redis.instead = test::answering("HEARTBEAT", {test::FakeRedis::error("LOADING")});
  rig.redis.hang_up();
  rig.until_it_is_away();
  CHECK(rig.loop.run(rig.store->claim("limit:joe@example.com", hours(1))));
  CHECK_FALSE(rig.loop.run(rig.store->claim("limit:joe@example.com", hours(1))));
  rig.redis.instead = {};
  rig.until_it_serves(0);
  CHECK_FALSE(rig.loop.run(rig.store->claim("limit:joe@example.com", hours(1))));
}

TEST_CASE("redis trouble: a claim that Redis refuses is this node's own") {
  test::TroubleRig rig;
  rig.redis.instead = test::answering("SET", {test::FakeRedis::error("NOPERM no")});
  CHECK(rig.loop.run(rig.store->claim("limit:joe@example.com", hours(1))));
  CHECK_FALSE(rig.loop.run(rig.store->claim("limit:joe@example.com", hours(1))));
  rig.redis.instead = test::answering("SET", {"$-1\r\n"});
  CHECK_FALSE(rig.loop.run(rig.store->claim("limit:ann@example.com", hours(1))));
}

}  // namespace
}  // namespace policyd
