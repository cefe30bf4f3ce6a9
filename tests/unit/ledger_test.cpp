// The rules of Charge on counters in memory: what counts once, what is given back, and what is forgotten.
#include "policyd/store/ledger.h"

#include <doctest/doctest.h>

#include "tests/support/charges.h"
#include "tests/support/fake_clock.h"

namespace policyd {
namespace {

using test::FakeClock;

constexpr Milliseconds kHour{3'600'000};
constexpr std::string_view kAccount = "joe@example.com";

Charge recipient(std::string_view instance, std::string_view to, int64_t bytes = 0) {
  return test::recipient_charge(kAccount, instance, to, bytes);
}

Charge settle(std::string_view instance, int64_t recipients, int64_t bytes = 0) {
  return test::settle_charge(kAccount, instance, recipients, bytes);
}

// A ledger with a clock and three limits, and what it says has been used.
struct Fixture {
  FakeClock clock;
  Ledger ledger{1};
  Limits limits{{Meter::messages, 5, kHour}, {Meter::recipients, 10, kHour}, {Meter::bytes, 1'000, kHour}};

  ChargeResult charge(const Charge& charge) { return ledger.charge(charge, limits, clock.wall()); }
  bool passes(const Charge& c) { return charge(c).passed; }
  [[nodiscard]] Amounts used(std::string_view account = kAccount) const {
    Amounts amounts{};
    for (const Usage& usage : ledger.usage(account, clock.wall()).usage) {
      amounts[static_cast<size_t>(usage.meter) - 1] = usage.used;
    }
    return amounts;
  }
};

TEST_CASE("ledger: a message counts once, however many recipients it has") {
  Fixture f;
  for (const char* to : {"a@x", "b@x", "c@x"}) CHECK(f.passes(recipient("i1", to)));
  CHECK(f.used() == Amounts{1, 3, 0});
  CHECK(f.passes(recipient("i2", "a@x")));
  CHECK(f.used() == Amounts{2, 4, 0});
}

TEST_CASE("ledger: a recipient of a message counts once, however often it is asked") {
  Fixture f;
  for (int list = 0; list < 4; ++list) CHECK(f.passes(recipient("i1", "a@x", 300)));
  CHECK(f.used() == Amounts{1, 1, 300});
}

TEST_CASE("ledger: the same instance of another account is another message") {
  Fixture f;
  Charge other = recipient("i1", "a@x");
  other.account = "ann@example.com";
  CHECK(f.passes(recipient("i1", "a@x")));
  CHECK(f.passes(other));
  CHECK(f.used() == Amounts{1, 1, 0});
  CHECK(f.used("ann@example.com") == Amounts{1, 1, 0});
}

TEST_CASE("ledger: without an instance every charge is a message of its own") {
  Fixture f;
  CHECK(f.passes(recipient("", "a@x")));
  CHECK(f.passes(recipient("", "a@x")));
  CHECK(f.used() == Amounts{2, 2, 0});
}

TEST_CASE("ledger: a message is settled to what was accepted") {
  struct Case {
    const char* label;
    Charge settle;
    Amounts used;
  };
  const std::vector<Case> cases{
      {"fewer recipients", settle("i1", 1), {1, 1, 300}},
      {"as charged", settle("i1", 3), {1, 3, 300}},
      {"more recipients", settle("i1", 7), {1, 7, 300}},
      {"fewer octets", settle("i1", 3, 120), {1, 3, 120}},
      {"more octets", settle("i1", 3, 900), {1, 3, 900}},
      {"unknown counts leave what was charged", settle("i1", 0), {1, 3, 300}},
      {"a message that nobody has charged", settle("i2", 2, 200), {2, 5, 500}},
  };
  for (const Case& c : cases) {
    CAPTURE(c.label);
    Fixture f;
    for (const char* to : {"a@x", "b@x", "c@x"}) CHECK(f.passes(recipient("i1", to, 300)));
    CHECK(f.passes(c.settle));
    CHECK(f.used() == c.used);
    CHECK(f.passes(c.settle));  // END-OF-MESSAGE after DATA
    CHECK(f.used() == c.used);
  }
}

TEST_CASE("ledger: a message refused at its end gives all of its charge back") {
  Fixture f;
  CHECK(f.passes(recipient("i1", "a@x", 400)));
  CHECK(f.passes(recipient("i2", "a@x", 300)));
  const ChargeResult result = f.charge(settle("i2", 1, 700));
  CHECK_FALSE(result.passed);
  REQUIRE(result.limit.has_value());
  CHECK(result.limit->to_string() == "1KB/1h");
  CHECK(f.used() == Amounts{1, 1, 400});
  CHECK(f.passes(recipient("i2", "a@x", 100)));  // as a new message
  CHECK(f.used() == Amounts{2, 2, 500});
}

TEST_CASE("ledger: a message that is refused at its end without a charge takes nothing") {
  Fixture f;
  CHECK_FALSE(f.passes(settle("i1", 11)));
  CHECK(f.used() == Amounts{});
}

TEST_CASE("ledger: what is refused consumes nothing") {
  Fixture f;
  for (int i = 0; i < 5; ++i) CHECK(f.passes(recipient("i" + std::to_string(i), "a@x")));
  for (int retry = 0; retry < 100; ++retry) CHECK_FALSE(f.passes(recipient("late", "a@x")));
  CHECK(f.used() == Amounts{5, 5, 0});
  CHECK(f.passes(recipient("i0", "b@x")));  // one more recipient of a message that is in already
  f.clock.advance(kHour + kHour / 60);
  CHECK(f.passes(recipient("late", "a@x")));
  CHECK(f.used() == Amounts{1, 1, 0});
}

TEST_CASE("ledger: one limit that is reached keeps all counters as they are") {
  Fixture f;
  CHECK_FALSE(f.passes(recipient("i1", "a@x", 1'001)));
  CHECK(f.used() == Amounts{});
}

TEST_CASE("ledger: a dry run says what would happen and changes nothing") {
  Fixture f;
  f.ledger.track_changes();
  Charge charge = recipient("i1", "a@x", 1'000);
  charge.dry_run = true;
  CHECK(f.passes(charge));
  CHECK(f.passes(charge));
  CHECK(f.used() == Amounts{});
  charge.bytes = 1'001;
  CHECK_FALSE(f.passes(charge));
  CHECK(f.ledger.accounts() == 0);
  CHECK(f.ledger.take_changes(10).empty());
}

TEST_CASE("ledger: recipients are told apart from the first to the last") {
  Fixture f;
  f.limits = {{Meter::recipients, 1'000, kHour}};
  for (int round = 0; round < 2; ++round) {
    for (int i = 0; i < 100; ++i) CHECK(f.passes(recipient("i1", "user" + std::to_string(i) + "@x")));
    CHECK(f.used() == Amounts{0, 100, 0});
  }
}

TEST_CASE("ledger: the oldest messages are forgotten, and their counters stay") {
  Fixture f;
  f.limits = {{Meter::messages, 1'000'000, kHour}};
  int64_t charged = 0;
  const auto charge = [&](size_t count) {
    for (size_t i = 0; i < count; ++i) f.charge(recipient(std::to_string(charged++), "a@x"));
  };
  CHECK(f.passes(recipient("early", "a@x")));
  charge(Ledger::kMessages / 16);
  CHECK(f.passes(recipient("early", "a@x")));
  CHECK(f.used()[0] == charged + 1);  // still known
  charge(3 * Ledger::kMessages);
  CHECK(f.used()[0] == charged + 1);
  CHECK(f.passes(recipient("early", "a@x")));
  CHECK(f.used()[0] == charged + 2);  // a stranger again
}

TEST_CASE("ledger: what was cleared is as new") {
  Fixture f;
  f.ledger.clear();
  for (int round = 0; round < 2; ++round) {
    for (const char* to : {"a@x", "b@x", "c@x"}) CHECK(f.passes(recipient("i1", to)));
    CHECK(f.used() == Amounts{1, 3, 0});
    f.ledger.clear();
    CHECK(f.used() == Amounts{});
  }
}

TEST_CASE("ledger: accounts with nothing left are swept") {
  Fixture f;
  for (int i = 0; i < 1'000; ++i) {
    const std::string account = "user" + std::to_string(i);
    Charge charge = recipient("", "a@x");
    charge.account = account;
    CHECK(f.passes(charge));
  }
  for (int turn = 0; turn < 10; ++turn) f.ledger.sweep(f.clock.wall());
  CHECK(f.ledger.accounts() == 1'000);
  f.clock.advance(kHour + kHour / 60);
  for (int turn = 0; turn < 10; ++turn) f.ledger.sweep(f.clock.wall());
  CHECK(f.ledger.accounts() == 0);
}

TEST_CASE("ledger: the file hears of every change once, and of what is forgotten") {
  Fixture f;
  f.ledger.track_changes();
  CHECK(f.passes(recipient("i1", "a@x")));
  CHECK(f.passes(recipient("i1", "b@x")));
  auto changes = f.ledger.take_changes(10);
  REQUIRE(changes.size() == 1);
  CHECK(changes[0].first == kAccount);
  CHECK_FALSE(changes[0].second.empty());
  CHECK(f.ledger.take_changes(10).empty());

  f.clock.advance(2 * kHour);
  for (int turn = 0; turn < 10; ++turn) f.ledger.sweep(f.clock.wall());
  changes = f.ledger.take_changes(10);
  REQUIRE(changes.size() == 1);
  CHECK(changes[0].second.empty());
  CHECK(f.ledger.accounts() == 0);
}

TEST_CASE("ledger: changes are taken in portions") {
  Fixture f;
  f.ledger.track_changes();
  for (const char* account : {"a", "b", "c"}) {
    Charge charge = recipient("", "a@x");
    charge.account = account;
    CHECK(f.passes(charge));
  }
  CHECK(f.ledger.take_changes(2).size() == 2);
  CHECK(f.ledger.take_changes(2).size() == 1);
}

TEST_CASE("ledger: what was restored counts") {
  Fixture before, after;
  for (int i = 0; i < 5; ++i) CHECK(before.passes(recipient("i" + std::to_string(i), "a@x")));
  before.ledger.track_changes();
  CHECK(before.passes(recipient("i0", "b@x")));
  for (auto& [account, cells] : before.ledger.take_changes(10)) {
    auto counters = Counters::from_cells(std::move(cells));
    REQUIRE(counters.has_value());
    after.ledger.restore(account, std::move(*counters));
  }
  CHECK(after.used() == Amounts{5, 6, 0});
  CHECK_FALSE(after.passes(recipient("new", "a@x")));
}

TEST_CASE("ledger: list and reset") {
  Fixture f;
  CHECK(f.passes(recipient("i1", "a@x")));
  Charge other = recipient("i1", "a@x");
  other.account = "ann";
  CHECK(f.passes(other));
  CHECK(f.ledger.list(10, f.clock.wall()).accounts.size() == 2);
  CHECK_FALSE(f.ledger.list(2, f.clock.wall()).more);
  CHECK(f.ledger.list(1, f.clock.wall()).accounts.size() == 1);
  CHECK(f.ledger.list(1, f.clock.wall()).more);
  CHECK(f.ledger.reset("ann"));
  CHECK_FALSE(f.ledger.reset("ann"));
  CHECK_FALSE(f.ledger.reset("nobody"));
  const auto page = f.ledger.list(10, f.clock.wall());
  REQUIRE(page.accounts.size() == 1);
  CHECK(page.accounts[0].account == kAccount);
}

}  // namespace
}  // namespace policyd
