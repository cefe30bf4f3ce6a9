// What was let through while Redis was away, and how it gets there: all of it, once, also when the store stops
// meanwhile.
#include <algorithm>

#include "tests/contract/redis_rig.h"
#include "tests/support/captured_log.h"

namespace policyd {
namespace {

using test::CapturedLog;
using test::local;
using Rig = test::RedisRig;

constexpr size_t kMany = 5 * ChargeCommand::kMost + 7;
constexpr Milliseconds kLong{2 * 3'600'000};  // longer than a message is remembered
constexpr Milliseconds kSoon{200};            // a time-out, in Redis' hands
constexpr int kMostTries = 100'000;

// Away, with `count` charges to merge that Redis has not counted.
void fall_behind(Rig& rig, size_t count) {
  CHECK(rig.redis.command({"CONFIG", "SET", "maxmemory", "1"}) == "+OK\r\n");
  CHECK(local(rig.charge(rig.charges(count))) == count);
  REQUIRE_FALSE(rig.store->status().available);
  REQUIRE(rig.store->status().pending_merge == static_cast<int64_t>(count));
  CHECK(rig.redis.command({"CONFIG", "SET", "maxmemory", "0"}) == "+OK\r\n");
}

void wait_until_merged(Rig& rig) {
  rig.loop.turn_until([&] { return rig.store->status().available && rig.store->status().pending_merge == 0; });
}

// A charge that Redis counts, but whose answer is lost: the store has given it up and is away.
void lose_answer(Rig& rig, const Charge& charge) {
  rig.redis.pause();
  CHECK(local(rig.charge({charge})) == 1);
  rig.loop.turn_until([&] { return !rig.store->status().available; });
  CHECK(rig.store->status().pending_merge == 1);
  rig.redis.resume();
  const auto exists = [&] { return rig.redis.command({"EXISTS", "policyd:rate:{0}"}) == ":1\r\n"; };
  for (int tries = 0; tries < kMostTries && !exists(); ++tries) {
  }
  REQUIRE(exists());
}

Charge end_of(Charge charge) {
  charge.kind = Charge::Kind::settle;
  charge.ended = true;
  charge.recipient = {};
  charge.recipients = 3;
  return charge;
}

TEST_CASE("redis merge: a store that is stopped while Redis catches up still merges all") {
  Rig rig;
  const CapturedLog log;
  fall_behind(rig, kMany);
  rig.loop.turn_until([&] { return rig.store->status().pending_merge < static_cast<int64_t>(kMany); });
  CHECK_FALSE(rig.store->status().available);
  REQUIRE(rig.store->status().pending_merge > 0);
  rig.restart();
  for (const std::string& line : log.warnings()) CHECK(line.find("could not be merged") == std::string::npos);
  CHECK(rig.used_by_all() == kMany);
}

TEST_CASE("redis merge: a store that is stopped with the last of it under way waits for the answer") {
  Rig rig;
  fall_behind(rig, 200);
  rig.loop.turn_until([&] { return rig.store->status().available; });
  REQUIRE(rig.store->status().pending_merge > 0);
  rig.loop.run(rig.store->stop());
  CHECK(rig.store->status().pending_merge == 0);
  rig.store.reset();
  rig.open();
  CHECK(rig.used_by_all() == 200);
}

TEST_CASE("redis merge: when Redis hangs at the stop, all that it has not answered is told as not merged") {
  Rig rig(kSoon);
  const CapturedLog log;
  fall_behind(rig, kMany);
  rig.loop.turn_until([&] { return rig.store->status().pending_merge < static_cast<int64_t>(kMany); });
  rig.redis.pause();
  rig.loop.run(rig.store->stop());
  rig.redis.resume();
  REQUIRE(rig.store->status().pending_merge > 0);
  const std::string left = std::to_string(rig.store->status().pending_merge);
  rig.store.reset();
  // Whether Redis is told to be away before or after that is a matter of whose patience ends first.
  const auto warnings = log.warnings();
  CHECK(std::count_if(warnings.begin(), warnings.end(), [&left](const std::string& line) {
          return line.ends_with(": " + left + " charges counted on this node alone could not be merged");
        }) == 1);
}

TEST_CASE("redis merge: a message whose end Redis counted without an answer is not counted again") {
  for (const bool soon : {true, false}) {
    CAPTURE(soon);
    Rig rig(kSoon);
    lose_answer(rig, end_of(rig.charges(1)[0]));
    if (!soon) {
      rig.clock.advance(kLong);
      CHECK(rig.redis.command({"DEL", "policyd:message:{0}:i0"}) == ":1\r\n");  // run out
    }
    wait_until_merged(rig);
    CHECK(rig.used("0") == 1);
  }
}

TEST_CASE("redis merge: a charge that cannot be recognised and may have been counted is not counted again") {
  Rig rig(kSoon);
  Charge charge = rig.charges(1)[0];
  charge.instance = {};
  lose_answer(rig, charge);
  wait_until_merged(rig);
  CHECK(rig.used("0") == 1);
}

TEST_CASE("redis merge: a message that Redis has counted and forgotten meanwhile is not counted again") {
  Rig rig;
  CHECK(local(rig.charge(rig.charges(1))) == 0);
  CHECK(rig.redis.command({"CONFIG", "SET", "maxmemory", "1"}) == "+OK\r\n");
  Charge another = rig.charges(1)[0];
  another.recipient = "b@x";
  CHECK(local(rig.charge({another, end_of(another)})) == 2);
  rig.clock.advance(kLong);
  CHECK(rig.redis.command({"DEL", "policyd:message:{0}:i0"}) == ":1\r\n");  // run out
  CHECK(rig.redis.command({"CONFIG", "SET", "maxmemory", "0"}) == "+OK\r\n");
  wait_until_merged(rig);
  CHECK(rig.used("0") == 1);
}

TEST_CASE("redis merge: what Redis was never sent or has refused is counted, however late") {
  Rig rig;
  fall_behind(rig, 1);
  std::vector<Charge> ends;
  for (const Charge& charge : rig.charges(5)) ends.push_back(end_of(charge));
  CHECK(local(rig.charge(ends)) == 5);
  rig.clock.advance(kLong);
  wait_until_merged(rig);
  CHECK(rig.used_by_all() == 5);
}

TEST_CASE("redis merge: after a loss of the answer within the time that a message is remembered, it is counted") {
  Rig rig(kSoon);
  lose_answer(rig, end_of(rig.charges(1)[0]));
  CHECK(rig.redis.command({"FLUSHALL"}) == "+OK\r\n");  // as a Redis that was restarted
  wait_until_merged(rig);
  CHECK(rig.used("0") == 1);
}

}  // namespace
}  // namespace policyd
