// A Redis that answers the mirror with something else, and a store that ends while it merges: no
// block is lost, and no charge.
#include <doctest/doctest.h>
#include <limits>

#include "tests/contract/trouble_rig.h"

namespace policyd {
namespace {

using test::answering;
using test::FakeRedis;
using test::kBlockKey;
using test::local;
using Answer = FakeRedis::Answer;
using Rig = test::TroubleRig;

TEST_CASE("redis trouble: the store ends while it merges: all that Redis takes is merged") {
  Rig rig;
  rig.redis.instead = answering("HEARTBEAT", {FakeRedis::error("LOADING")});
  rig.redis.hang_up();
  rig.until_it_is_away();
  CHECK(local(rig.charge(900)) == 900);
  bool stopping = false;
  rig.redis.instead = [&](const FakeRedis::Command& command) -> std::optional<Answer> {
    if (FakeRedis::kind(command) == "CHARGE") stopping = true;
    return std::nullopt;
  };
  rig.loop.turn_until([&] { return stopping; });
  rig.loop.run(rig.store->stop());
  rig.store.reset();
  CHECK(rig.redis.charged().size() == 900);
  CHECK(rig.lines("could not be merged") == 0);
}

TEST_CASE(
    "redis trouble: what the mirror asks for is answered with something else: the block stays") {
  const std::vector<std::pair<std::string, std::string>> answers{
      {"HGETALL", "+OK\r\n"},
      {"HGETALL", ":0\r\n"},
      {"HGETALL", "$-1\r\n"},
      {"HGETALL", "$3\r\nabc\r\n"},
      {"HGETALL", FakeRedis::error("NOPERM no")},
      {"HGETALL", FakeRedis::error("BUSY")},
      {"PTTL", "+OK\r\n"},
      {"PTTL", "$-1\r\n"},
      {"PTTL", "*0\r\n"},
      {"PTTL", FakeRedis::error("BUSY")},
      {"SCAN", "+OK\r\n"},
      {"SCAN", "*0\r\n"},
      {"SCAN", "*2\r\n$1\r\n0\r\n$-1\r\n"},
      {"SCAN", "*2\r\n$1\r\n0\r\n:5\r\n"},
      {"SCAN", FakeRedis::error("NOPERM no")},
  };
  for (const auto& [kind, octets] : answers) {
    INFO(kind << " " << octets);
    Rig rig;
    size_t asked = 0;
    rig.redis.instead = [&, usual = answering(kind, {octets})](const FakeRedis::Command& command) {
      if (FakeRedis::kind(command) == kind) ++asked;
      return usual(command);
    };
    // A load of everything, where SCAN is what is spoiled; else one key.
    kind == "SCAN" ? rig.redis.hang_up() : rig.redis.tell({kBlockKey});
    rig.loop.turn_until([&] { return asked >= 1; });
    test::settle(rig.loop);
    CHECK(rig.blocks_joe());
    rig.redis.instead = {};
    rig.redis.change(kBlockKey, std::nullopt);
    rig.loop.turn_until([&] { return !rig.blocks_joe(); });
  }
}

TEST_CASE("redis trouble: a block whose end is farther than time can be told stays") {
  Rig rig;
  rig.redis.instead = answering("PTTL", {FakeRedis::integer(std::numeric_limits<int64_t>::max())});
  rig.redis.change(kBlockKey, FakeRedis::Hash{{"description", "for ever"}});
  rig.loop.turn_until(
      [&] { return rig.block_of_joe() && rig.block_of_joe()->description == "for ever"; });
  CHECK(rig.block_of_joe()->expires > rig.clock.wall());
}

}  // namespace
}  // namespace policyd
