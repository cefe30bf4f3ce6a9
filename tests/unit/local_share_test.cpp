// A node's share of the limits while the shared store is away, and the journal that is merged when it is back.
#include "policyd/store/local_share.h"

#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "tests/support/charges.h"
#include "tests/support/fake_clock.h"

namespace policyd {
namespace {

constexpr Milliseconds kHour{3'600'000};

struct Rig {
  test::FakeClock clock;
  LocalShare share;
  Limits limits{{Meter::messages, 10, kHour}};

  Charge recipient(std::string_view instance, std::string_view account = "joe") const {
    return test::recipient_charge(account, instance, "bob@example.com", 100, &limits);
  }
  Charge settle(std::string_view instance, int64_t recipients) const {
    Charge charge = test::settle_charge("joe", instance, recipients, 100, &limits);
    charge.ended = true;
    return charge;
  }
  ChargeResult ask(const Charge& charge, size_t nodes = 1) { return share.charge(charge, nodes, clock.wall()); }
  // How many of `messages` pass.
  int passed(int messages, size_t nodes) {
    int count = 0;
    for (int i = 0; i < messages; ++i) count += ask(recipient(std::to_string(i)), nodes).passed ? 1 : 0;
    return count;
  }
};

TEST_CASE("local share: each of n nodes lets an n-th through, rounded down, but at least 1 of what is not 0") {
  struct Case {
    int64_t maximum;
    size_t nodes;
    int passed;
  };
  const std::vector<Case> cases{{10, 1, 10}, {10, 2, 5}, {10, 3, 3}, {10, 10, 1}, {10, 11, 1},
                                {10, 0, 10}, {1, 4, 1},  {0, 1, 0},  {0, 4, 0}};
  for (const Case& c : cases) {
    CAPTURE(c.maximum);
    CAPTURE(c.nodes);
    Rig rig;
    rig.limits = {{Meter::messages, c.maximum, kHour}};
    CHECK(rig.passed(20, c.nodes) == c.passed);
  }
}

TEST_CASE("local share: every limit is shared, and one that does not pass leaves the others as they were") {
  Rig rig;
  rig.limits = {{Meter::messages, 100, kHour}, {Meter::recipients, 8, kHour}, {Meter::bytes, 1'000, kHour}};
  CHECK(rig.passed(20, 2) == 4);  // 8 recipients
  rig.limits = {{Meter::messages, 100, kHour}, {Meter::bytes, 1'000, kHour}};
  CHECK(rig.ask(rig.recipient("another"), 2).passed);          // 500 octets, of which 400 are used
  CHECK_FALSE(rig.ask(rig.recipient("one more"), 2).passed);
}

TEST_CASE("local share: a result is marked as local, and names the limit as it is configured") {
  Rig rig;
  CHECK(rig.ask(rig.recipient("1"), 10).local);
  CHECK_FALSE(rig.ask(rig.recipient("1"), 10).limit.has_value());
  const ChargeResult result = rig.ask(rig.recipient("2"), 10);
  CHECK_FALSE(result.passed);
  CHECK(result.local);
  REQUIRE(result.limit.has_value());
  CHECK(*result.limit == rig.limits.front());
  REQUIRE(result.retry_after.has_value());
  rig.clock.advance(*result.retry_after - Milliseconds(1));
  CHECK_FALSE(rig.ask(rig.recipient("2"), 10).passed);
  rig.clock.advance(Milliseconds(1));
  CHECK(rig.ask(rig.recipient("2"), 10).passed);
}

TEST_CASE("local share: what was used here ages by itself") {
  Rig rig;
  CHECK(rig.passed(10, 10) == 1);
  rig.clock.advance(kHour - Milliseconds(1));
  CHECK_FALSE(rig.ask(rig.recipient("later"), 10).passed);
  rig.share.take(100);  // the store was back meanwhile: no fresh share
  CHECK_FALSE(rig.ask(rig.recipient("later"), 10).passed);
  rig.clock.advance(kHour);
  rig.share.sweep(rig.clock.wall());
  CHECK(rig.ask(rig.recipient("later"), 10).passed);
}

TEST_CASE("local share: what passed is kept for the merge with all that it takes to count it again") {
  Rig rig;
  {
    const std::string account = "ann@example.com", instance = "1f.2a";  // gone when it is merged
    Charge charge = rig.recipient(instance, account);
    charge.ended = true;
    CHECK(rig.ask(charge).passed);
  }
  rig.limits.clear();
  rig.clock.advance(kHour);
  REQUIRE(rig.share.pending() == 1);
  const auto entries = rig.share.take(10);
  CHECK(rig.share.pending() == 0);
  REQUIRE(entries.size() == 1);
  CHECK(entries[0].at == test::FakeClock::kStart);
  const Charge charge = entries[0].charge();
  CHECK(charge.kind == Charge::Kind::recipient);
  CHECK(charge.account == "ann@example.com");
  CHECK(charge.instance == "1f.2a");
  CHECK(charge.recipient == "bob@example.com");
  CHECK(charge.bytes == 100);
  CHECK(charge.ended);
  CHECK_FALSE(charge.dry_run);
  REQUIRE(charge.limits != nullptr);
  CHECK(*charge.limits == Limits{{Meter::messages, 10, kHour}});  // the whole limit, as it was then
}

TEST_CASE("local share: the journal says what the shared store may have counted already") {
  Rig rig;
  CHECK(rig.ask(rig.recipient("1")).passed);
  rig.clock.advance(Milliseconds{7});
  CHECK(rig.share.charge(rig.recipient("2"), 1, rig.clock.wall(), rig.clock.wall()).passed);
  const auto entries = rig.share.take(10);
  REQUIRE(entries.size() == 2);
  CHECK_FALSE(entries[0].sent.has_value());
  CHECK(entries[1].sent == rig.clock.wall());
}

TEST_CASE("local share: what was refused or only asked is not merged") {
  Rig rig;
  CHECK(rig.ask(rig.recipient("1"), 10).passed);
  CHECK_FALSE(rig.ask(rig.recipient("2"), 10).passed);
  Charge dry = rig.recipient("1");
  dry.dry_run = true;
  CHECK(rig.ask(dry, 10).passed);
  CHECK(rig.share.pending() == 1);
}

TEST_CASE("local share: a message refused at its end is given back at the merge") {
  Rig rig;
  rig.limits = {{Meter::recipients, 2, kHour}};
  CHECK(rig.ask(rig.recipient("1")).passed);
  CHECK_FALSE(rig.ask(rig.settle("1", 3)).passed);
  const auto entries = rig.share.take(10);
  REQUIRE(entries.size() == 2);
  CHECK(entries[0].kind == Charge::Kind::recipient);
  CHECK(entries[1].kind == Charge::Kind::give_back);
  CHECK(entries[1].instance == "1");
  CHECK(rig.ask(rig.settle("2", 2)).passed);  // nothing of the refused message counts here
}

TEST_CASE("local share: what the shared store cannot count is held to the share, and never merged") {
  Rig rig;
  const auto ask = [&rig](std::string_view instance) {
    return rig.share.charge_unmerged(rig.recipient(instance), 10, rig.clock.wall());
  };
  CHECK(ask("1").passed);
  CHECK(ask("1").local);
  CHECK_FALSE(ask("2").passed);
  CHECK(rig.share.pending() == 0);
}

TEST_CASE("local share: the journal is taken from its oldest end, and what could not be merged goes back there") {
  Rig rig;
  rig.limits = {{Meter::messages, 100, kHour}};
  const auto order = [](const std::vector<LocalShare::Entry>& entries) {
    std::string all;
    for (const auto& entry : entries) all += entry.instance;
    return all;
  };
  CHECK(rig.passed(5, 1) == 5);
  auto taken = rig.share.take(3);
  CHECK(order(taken) == "012");
  CHECK(rig.share.pending() == 2);
  CHECK(rig.ask(rig.recipient("5")).passed);
  taken.erase(taken.begin());
  rig.share.put_back(std::move(taken));
  CHECK(rig.share.pending() == 5);
  CHECK(order(rig.share.take(0)).empty());
  CHECK(order(rig.share.take(1'000)) == "12345");
  CHECK(rig.share.take(1).empty());
}

TEST_CASE("local share: the journal is bounded; its oldest entries are lost, and counted") {
  Rig rig;
  rig.limits = {{Meter::bytes, int64_t{1} << 50, kHour}};
  for (size_t i = 0; i < LocalShare::kJournal + 3; ++i) {
    const std::string instance = std::to_string(i);
    if (!rig.ask(rig.recipient(instance)).passed) FAIL("does not pass");
  }
  CHECK(rig.share.pending() == LocalShare::kJournal);
  CHECK(rig.share.dropped() == 3);
  CHECK(rig.share.take(1).front().instance == "3");
}

// What refuses is divided among the nodes; what only tells, and the sign itself, are what they are with the store.
TEST_CASE("local share: only a limit that is gone over as a whole is a sign") {
  Rig rig;
  const Limits signs{{Meter::distinct_recipients, 4, kHour}, {Meter::spam, 4, kHour}};
  const auto sign = [&](int64_t amount) {
    Charge charge = test::recipient_charge("joe", "", {}, 0, &rig.limits);
    charge.kind = Charge::Kind::sign;
    charge.signs = &signs;
    charge.meter = Meter::spam;
    charge.amount = amount;
    return rig.ask(charge, 4);
  };
  const auto to = [&](std::string_view recipient) {
    Charge charge = test::recipient_charge("joe", "", recipient, 100, &rig.limits);
    charge.signs = &signs;
    return rig.ask(charge, 4);
  };
  CHECK(to("a@x").passed);
  const ChargeResult second = to("b@x");
  CHECK_FALSE(second.passed);  // 4 of 4 nodes: one recipient each
  CHECK(second.limit == signs[0]);
  CHECK_FALSE(second.sign.has_value());
  CHECK_FALSE(sign(4).sign.has_value());
  const ChargeResult over = sign(1);
  CHECK(over.sign == signs[1]);
  CHECK(over.sign_used == 5);
  CHECK(to("a@x").sign == signs[1]);
  rig.share.forget_signs("joe");
  CHECK_FALSE(to("b@x").sign.has_value());
}

}  // namespace
}  // namespace policyd
