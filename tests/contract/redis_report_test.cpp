// Reports on Redis alone: two nodes add up, a batch counts once, what is stored and when it expires, what somebody else
// wrote there, a Redis that is gone.
#include <map>

#include "shared/report_period.h"
#include "tests/contract/redis_rig.h"

namespace policyd {
namespace {

using std::chrono::hours;
using std::chrono::seconds;
using test::RedisRig;

// The key of this hour; the clock of the rig stands still.
std::string key_of(const RedisRig& rig, ReportKind kind = ReportKind::clients) {
  return "policyd:{report}:" + std::string(report_kind_name(kind)) + ":" + format_time(rig.clock.wall()).substr(0, 13);
}

ReportBatch batch(const RedisRig& rig, uint64_t id, Figures figures = {1, 1}) {
  return {id, {{ReportKind::clients, hour_of(rig.clock.wall()), "192.0.2.0/24", std::move(figures)}}};
}

Result<void> add(RedisRig& rig, uint64_t id, Figures figures = {1, 1}) {
  return rig.loop.run(rig.store->add_report(batch(rig, id, std::move(figures))));
}

Figures read(RedisRig& rig) {
  const auto hours_read = rig.loop.run(rig.store->report(ReportKind::clients, rig.clock.wall()));
  REQUIRE(hours_read.ok());
  return hours_read->empty() ? Figures{} : hours_read->at(0).rows->at("192.0.2.0/24");
}

TEST_CASE("redis report: a batch that is handed over again counts once") {
  RedisRig rig;
  for (int i = 0; i < 3; ++i) CHECK(add(rig, 7).ok());
  CHECK(read(rig) == Figures{1, 1});
  CHECK(add(rig, 8).ok());
  CHECK(add(rig, 7).ok());  // not the last one any more: another of that id
  CHECK(read(rig) == Figures{3, 3});
  rig.restart();
  CHECK(add(rig, 7).ok());
  CHECK(read(rig) == Figures{3, 3});
}

TEST_CASE("redis report: the figures of nodes add up, also from batches of the same id") {
  RedisRig rig;
  Mirror mirror(rig.clock);
  RedisStore other(rig.loop, rig.clock, mirror, rig.config, [] {
    NodeInfo node;
    node.id = "mx2:1";
    return node;
  });
  REQUIRE(other.start().ok());
  CHECK(add(rig, 1, {1, 2, 3}).ok());
  CHECK(rig.loop.run(other.add_report(batch(rig, 1, {10, 20}))).ok());
  CHECK(read(rig) == Figures{11, 22, 3});
  rig.loop.run(other.stop());
}

TEST_CASE("redis report: what is stored can be read, and expires by itself") {
  RedisRig rig;
  CHECK(add(rig, 7, {12, 0, 5, 0}).ok());
  CHECK(rig.redis.command({"HGET", key_of(rig), "192.0.2.0/24"}) == "$6\r\n12 0 5\r\n");
  CHECK(rig.redis.command({"GET", "policyd:{report}:batch:test:1"}) == "$1\r\n7\r\n");
  const auto ttl = [&rig](const std::string& key) {
    return Milliseconds(std::stoll(rig.redis.command({"PTTL", key}).substr(1)));
  };
  const WallTime end = hour_of(rig.clock.wall()) + hours(1);
  const Milliseconds kept = ttl(key_of(rig)), wanted = kReportKept + (end - rig.clock.wall());
  CHECK(kept <= wanted);
  CHECK(kept > wanted - seconds(60));
  CHECK(ttl("policyd:{report}:batch:test:1") <= hours(24));
}

TEST_CASE("redis report: what somebody else wrote is taken for nothing, and written over") {
  RedisRig rig;
  CHECK(rig.redis.command({"SET", key_of(rig), "x"}) == "+OK\r\n");
  CHECK(rig.redis.command({"HSET", "policyd:{report}:batch:test:1", "a", "b"}) == ":1\r\n");
  CHECK(read(rig).empty());
  CHECK(add(rig, 1).ok());
  CHECK(read(rig) == Figures{1, 1});
  for (const char* odd : {"x", "", "-"}) {
    CHECK(rig.redis.command({"HSET", key_of(rig), "192.0.2.0/24", odd}) == ":0\r\n");
    CHECK(read(rig).empty());
    CHECK(add(rig, std::hash<std::string>{}(odd)).ok());
    CHECK(read(rig) == Figures{1, 1});
  }
}

TEST_CASE("redis report: without Redis an Error says so") {
  RedisRig rig;
  rig.redis.kill();
  rig.loop.turn_until([&rig] { return !rig.store->status().available; });
  const auto reading = rig.loop.run(rig.store->report(ReportKind::clients, rig.clock.wall()));
  for (const std::string& said : {add(rig, 1).error().message, reading.error().message}) {
    CHECK(said.starts_with("the store redis+unix://"));
    CHECK(said.find(" is away: ") != std::string::npos);
  }
}

TEST_CASE("redis report: all that is kept can be read at once") {
  RedisRig rig;
  const WallTime first = hour_of(rig.clock.wall() - kReportKept), last = hour_of(rig.clock.wall());
  std::vector<std::string> keys;
  for (WallTime hour = first; hour <= last; hour += hours(1)) {
    keys.push_back("policyd:{report}:clients:" + format_time(hour).substr(0, 13));
  }
  // By Redis itself: 20 names an hour.
  std::vector<std::string> command{"EVAL",
                                   "for _, key in ipairs(KEYS) do for name = 1, 20 do redis.call('HSET', key, name, "
                                   "'12 5 3') end end return #KEYS",
                                   std::to_string(keys.size())};
  command.insert(command.end(), keys.begin(), keys.end());
  CHECK(rig.redis.command(command) == ":745\r\n");
  const auto all = rig.loop.run(rig.store->report(ReportKind::clients, first));
  REQUIRE_MESSAGE(all.ok(), all.error().message);
  REQUIRE(all->size() == 745);
  CHECK(all->front().hour == first);
  CHECK(all->back().hour == last);
  CHECK(all->back().rows->size() == 20);
}

}  // namespace
}  // namespace policyd
