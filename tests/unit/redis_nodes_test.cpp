// The nodes that a heartbeat tells of: which are believed, and what of an answer that makes no sense.
#include "policyd/store/redis_nodes.h"

#include <doctest/doctest.h>

#include <limits>

#include "tests/support/fake_clock.h"

namespace policyd {
namespace {

using test::FakeClock;

constexpr int64_t kNow = FakeClock::kStart.time_since_epoch().count();
constexpr int64_t kLeast = std::numeric_limits<int64_t>::min(), kMost = std::numeric_limits<int64_t>::max();

RedisReply number(int64_t value) {
  RedisReply reply;
  reply.kind = RedisReply::Kind::integer;
  reply.integer = value;
  return reply;
}

// "a" was seen then, as Redis would say at `now`.
RedisReply answer(int64_t now, const std::string& seen) {
  RedisReply reply, id, text;
  reply.kind = RedisReply::Kind::array;
  id.kind = text.kind = RedisReply::Kind::text;
  id.text = "a";
  text.text = seen;
  reply.elements = {number(now), id, text};
  return reply;
}

TEST_CASE("redis nodes: who was seen is told, with what he said of himself") {
  const FakeClock clock;
  RedisNodes nodes;
  NodeInfo self;
  self.name = "mx1";
  self.version = "0.1.0";
  self.uptime_seconds = 7;
  self.requests = 9;
  CHECK(nodes.note(answer(kNow + 5, std::to_string(kNow) + "|" + RedisNodes::to_json(self)), clock));
  CHECK(nodes.redis_ahead() == Milliseconds{5});
  REQUIRE(nodes.list().size() == 1);
  const NodeInfo& node = nodes.list()[0];
  CHECK(node.id == "a");
  CHECK(node.name == "mx1");
  CHECK(node.version == "0.1.0");
  CHECK(node.seen == FakeClock::kStart);
  CHECK(node.uptime_seconds == 7);
  CHECK(node.requests == 9);
}

TEST_CASE("redis nodes: who cannot have been seen then is none") {
  struct Case {
    std::string seen;
    size_t nodes;
  };
  const Case cases[] = {
      {std::to_string(kNow + 60'000) + "|{}", 1},
      {std::to_string(kNow + 60'001) + "|{}", 0},
      {std::to_string(kMost) + "|{}", 0},
      {"99999999999999999999|{}", 0},
      {"0|{}", 0},
      {"-5|{}", 0},
      {"5|{}", 1},
      {"5", 1},
      {"5x|{}", 0},
      {"|{}", 0},
      {"", 0},
      {"5|not JSON", 1},
      {"5|{\"uptime\":1e300,\"requests\":\"x\",\"name\":5}", 1},
  };
  const FakeClock clock;
  for (const Case& each : cases) {
    CAPTURE(each.seen);
    RedisNodes nodes;
    CHECK(nodes.note(answer(kNow, each.seen), clock));
    REQUIRE(nodes.list().size() == each.nodes);
    if (each.nodes > 0) CHECK(nodes.list()[0].uptime_seconds == 0);
  }
}

TEST_CASE("redis nodes: an answer without a time changes nothing") {
  const FakeClock clock;
  RedisNodes nodes;
  REQUIRE(nodes.note(answer(kNow + 5, "5|{}"), clock));
  for (const int64_t time : {int64_t{0}, int64_t{-1}, kLeast, kMost, int64_t{253'402'300'800'000}}) {
    CAPTURE(time);
    CHECK_FALSE(nodes.note(answer(time, "5|{}"), clock));
  }
  RedisReply no_number = answer(kNow, "5|{}");
  no_number.elements[0].kind = RedisReply::Kind::text;
  CHECK_FALSE(nodes.note(no_number, clock));
  CHECK_FALSE(nodes.note(RedisReply{}, clock));
  CHECK(nodes.redis_ahead() == Milliseconds{5});
  CHECK(nodes.list().size() == 1);
}

}  // namespace
}  // namespace policyd
