// The greylist in memory, beside what every store promises (tests/contract): its bounds, its order, what is written to
// the file.
#include "policyd/store/greylist_table.h"

#include <doctest/doctest.h>

#include <algorithm>

#include "tests/support/fake_clock.h"
#include "tests/support/greylist_attempt.h"

namespace policyd {
namespace {

using Outcome = GreylistResult::Outcome;
using Kind = GreylistRecord::Kind;
using std::chrono::hours;
using std::chrono::minutes;
using test::FakeClock;

constexpr Milliseconds kMillisecond{1};

struct Fixture {
  FakeClock clock;
  GreylistTable table;
  GreylistAttempt attempt = test::greylist_attempt();

  explicit Fixture(const GreylistTable::Bounds& bounds = GreylistTable::kBounds) : table(bounds) {}
  GreylistResult ask() { return table.attempt(attempt, clock.wall()); }
  Outcome ask(std::string_view sender) {
    attempt.sender = sender;
    return ask().outcome;
  }
};

TEST_CASE("greylist_table: the times hold to the millisecond") {
  Fixture f;
  CHECK(f.ask().outcome == Outcome::first);
  f.clock.advance(f.attempt.block - kMillisecond);
  CHECK(f.ask().wait == kMillisecond);
  f.clock.advance(kMillisecond);
  CHECK(f.ask().outcome == Outcome::passed);
  f.clock.advance(f.attempt.record);
  CHECK(f.ask().outcome == Outcome::known);
  f.clock.advance(f.attempt.record + kMillisecond);
  CHECK(f.ask().outcome == Outcome::first);
  f.clock.advance(f.attempt.pass);
  CHECK(f.ask().outcome == Outcome::passed);
  CHECK(f.ask("eve@example.org") == Outcome::first);
  f.clock.advance(f.attempt.pass + kMillisecond);
  CHECK(f.ask().outcome == Outcome::first);
}

TEST_CASE("greylist_table: a clock that is set back makes nobody wait for longer than a stranger") {
  Fixture f;
  CHECK(f.ask().outcome == Outcome::first);
  f.clock.set_wall(f.clock.wall() - hours(1));
  const GreylistResult again = f.ask();
  CHECK(again.outcome == Outcome::first);
  CHECK(again.wait == f.attempt.block);
}

TEST_CASE("greylist_table: where there are too many the oldest of their kind go") {
  Fixture f({2, 2, 1});
  for (const char* sender : {"a", "b", "c"}) CHECK(f.ask(sender) == Outcome::first);
  CHECK(f.table.size() == 2);
  f.clock.advance(minutes(5));
  CHECK(f.ask("c") == Outcome::passed);
  CHECK(f.ask("b") == Outcome::passed);
  CHECK(f.ask("a") == Outcome::first);  // had been forgotten
  f.clock.advance(minutes(5));
  CHECK(f.ask("c") == Outcome::known);
  CHECK(f.ask("a") == Outcome::passed);  // b has waited longest now
  CHECK(f.ask("c") == Outcome::known);
  CHECK(f.ask("b") == Outcome::first);
  CHECK(f.table.size() == 4);  // two that passed, the client, and b
}

TEST_CASE("greylist_table: what has run out is swept") {
  Fixture f;
  for (const char* sender : {"a", "b", "c"}) f.ask(sender);
  f.clock.advance(minutes(5));
  f.ask("b");
  f.table.sweep(f.clock.wall());
  CHECK(f.table.size() == 4);  // a and c wait; b and the client passed
  f.clock.advance(f.attempt.pass);
  f.table.sweep(f.clock.wall());
  CHECK(f.table.size() == 2);
  f.clock.advance(f.attempt.record);
  f.table.sweep(f.clock.wall());
  CHECK(f.table.size() == 0);
}

TEST_CASE("greylist_table: what was taken and restored is as it was") {
  Fixture f;
  f.attempt.instance = "1f.2a";
  f.table.track_changes();
  for (const char* sender : {"a", "b"}) f.ask(sender);
  f.ask("a");
  CHECK(f.table.take_changes(1).size() == 1);
  CHECK(f.table.take_changes(10).size() == 1);
  CHECK(f.table.take_changes(10).empty());
  f.clock.advance(minutes(5));
  f.ask("a");
  auto taken = f.table.take_changes(10);
  REQUIRE(taken.size() == 2);
  const auto client =
      std::find_if(taken.begin(), taken.end(), [](const auto& record) { return record.kind == Kind::client; });
  REQUIRE(client != taken.end());
  CHECK(client->key == "192.0.2.0/24");
  CHECK(client->count == 1);
  CHECK(client->at == f.clock.wall());
  CHECK(client->until == f.clock.wall() + f.attempt.record);

  Fixture later;
  later.table.track_changes();
  for (const GreylistRecord& record : taken) later.table.restore(record);
  CHECK(later.table.take_changes(10).empty());
  later.clock.set_wall(f.clock.wall() + hours(24 * 30));
  CHECK(later.ask("a") == Outcome::known);
  CHECK(later.ask("b") == Outcome::first);
}

TEST_CASE("greylist_table: what was forgotten for want of room is not among the changes any more") {
  Fixture f({3, 3, 3});
  f.table.track_changes();
  for (const char* sender : {"a", "b", "c", "d", "e"}) {
    f.clock.advance(kMillisecond);
    f.ask(sender);
  }
  std::vector<std::string> keys;
  for (const GreylistRecord& record : f.table.take_changes(10)) keys.push_back(record.key);
  std::sort(keys.begin(), keys.end());
  const std::string client(f.attempt.client), recipient(f.attempt.recipient);
  CHECK(keys == std::vector<std::string>{client + " c>" + recipient, client + " d>" + recipient,
                                         client + " e>" + recipient});
}

TEST_CASE("greylist_table: a dry run changes nothing") {
  Fixture f;
  f.table.track_changes();
  f.attempt.dry_run = true;
  CHECK(f.ask().outcome == Outcome::first);
  CHECK(f.ask().outcome == Outcome::first);
  CHECK(f.table.size() == 0);
  f.attempt.dry_run = false;
  f.ask();
  f.clock.advance(minutes(5));
  f.attempt.dry_run = true;
  CHECK(f.ask().outcome == Outcome::passed);
  CHECK(f.ask().outcome == Outcome::passed);
  CHECK(f.table.take_changes(10).size() == 1);
}

}  // namespace
}  // namespace policyd
