// The journal on Redis alone: what redis-cli sees, that it expires by itself, what somebody else wrote there, and a
// Redis that is gone.
#include "tests/contract/redis_rig.h"

namespace policyd {
namespace {

using std::chrono::days;
using test::RedisRig;

JournalRow row(const RedisRig& rig, uint32_t number) { return {JournalId(rig.clock.wall(), number), "mx1", "{}"}; }

Result<void> add(RedisRig& rig, std::vector<JournalRow> rows, Milliseconds keep = days(30)) {
  return rig.loop.run(rig.store->add_journal({std::move(rows), keep, 1000}));
}

size_t rows(RedisRig& rig) {
  const auto page = rig.loop.run(rig.store->journal({.most = 1000}));
  REQUIRE_MESSAGE(page.ok(), page.error().message);
  return page->rows.size();
}

TEST_CASE("redis journal: a row is an entry of the stream, and all of it expires by itself") {
  RedisRig rig;
  const JournalRow one = row(rig, 1);
  CHECK(add(rig, {one}).ok());
  const std::string reply = rig.redis.command({"XRANGE", "policyd:journal", "-", "+"});
  CHECK(reply.ends_with("*6\r\n$2\r\nid\r\n$14\r\n" + one.id.to_string() +
                        "\r\n$4\r\nnode\r\n$3\r\nmx1\r\n$5\r\nentry\r\n$2\r\n{}\r\n"));
  const auto ttl = [&rig] { return std::stoll(rig.redis.command({"PTTL", "policyd:journal"}).substr(1)); };
  CHECK(ttl() <= Milliseconds(days(30)).count());
  CHECK(ttl() > Milliseconds(days(30)).count() - 60'000);
  CHECK(add(rig, {row(rig, 2)}, days(2)).ok());
  CHECK(ttl() <= Milliseconds(days(2)).count());
}

TEST_CASE("redis journal: what somebody else wrote there is left out, or replaced where it is no stream") {
  RedisRig rig;
  CHECK(rig.redis.command({"SET", "policyd:journal", "x"}) == "+OK\r\n");
  CHECK(rows(rig) == 0);
  CHECK(add(rig, {row(rig, 1)}).ok());
  CHECK(rows(rig) == 1);
  CHECK(rig.redis.command({"XADD", "policyd:journal", "*", "a", "b"}).starts_with("$"));
  CHECK(rig.redis.command({"XADD", "policyd:journal", "*", "id", "no id", "entry", "{}"}).starts_with("$"));
  CHECK(add(rig, {row(rig, 2)}).ok());
  CHECK(rows(rig) == 2);
  // A page of nothing but these goes on behind them.
  const auto page = rig.loop.run(rig.store->journal({.most = 1}));
  REQUIRE(page.ok());
  const auto odd = rig.loop.run(rig.store->journal({.from = page->last.next(), .most = 2}));
  REQUIRE(odd.ok());
  CHECK(odd->rows.empty());
  CHECK(odd->more);
  const auto rest = rig.loop.run(rig.store->journal({.from = odd->last.next(), .most = 2}));
  REQUIRE(rest.ok());
  CHECK(rest->rows.size() == 1);
}

TEST_CASE("redis journal: an entry that claims the far future, or the last id of all, makes way") {
  for (const char* id : {"18446744073709551615-18446744073709551615", "9999999999999-0"}) {
    CAPTURE(id);
    RedisRig rig;
    CHECK(rig.redis.command({"XADD", "policyd:journal", id, "a", "b"}).starts_with("$"));
    CHECK(add(rig, {row(rig, 1)}).ok());
    CHECK(add(rig, {row(rig, 2)}).ok());
    CHECK(rows(rig) == 2);
  }
}

TEST_CASE("redis journal: two nodes write one journal") {
  RedisRig rig;
  Mirror mirror(rig.clock);
  RedisStore other(rig.loop, rig.clock, mirror, rig.config, test::node_named("mx2:1"));
  REQUIRE(other.start().ok());
  CHECK(add(rig, {row(rig, 1)}).ok());
  CHECK(rig.loop.run(other.add_journal({{row(rig, 2)}, days(30), 1000})).ok());
  CHECK(rows(rig) == 2);
  rig.loop.run(other.stop());
}

TEST_CASE("redis journal: without Redis an Error says so") {
  RedisRig rig;
  rig.redis.kill();
  rig.loop.turn_until([&rig] { return !rig.store->status().available; });
  const auto reading = rig.loop.run(rig.store->journal({.most = 1}));
  for (const std::string& said : {add(rig, {row(rig, 1)}).error().message, reading.error().message}) {
    CHECK(said.starts_with("the store redis+unix://"));
    CHECK(said.find(" is away: ") != std::string::npos);
  }
}

}  // namespace
}  // namespace policyd
