// The contract of charges: atomic over all windows, once per message and recipient, and nothing for what is refused.
#include "tests/contract/store_rig.h"
#include "tests/support/charges.h"

namespace policyd {
namespace {

using test::on_every_store;
using test::StoreRig;
using Used = std::map<std::string, int64_t>;

constexpr Milliseconds kHour{3'600'000};
constexpr Milliseconds kDay{86'400'000};
constexpr int64_t kMost = (1LL << 53) - 1;

const Limits kLimits{{Meter::messages, 5, kHour}, {Meter::recipients, 10, kHour}, {Meter::bytes, 1'000, kHour}};

Charge recipient(std::string_view instance, std::string_view to, int64_t bytes = 0, const Limits& limits = kLimits) {
  return test::recipient_charge("joe@example.com", instance, to, bytes, &limits);
}

Charge settle(std::string_view instance, int64_t recipients, int64_t bytes = 0, const Limits& limits = kLimits) {
  return test::settle_charge("joe@example.com", instance, recipients, bytes, &limits);
}

Used used(StoreRig& rig) { return rig.used("joe@example.com"); }

Used in_an_hour(int64_t messages, int64_t recipients, int64_t bytes = 0) {
  Used used{{"messages/1h", messages}, {"recipients/1h", recipients}, {"bytes/1h", bytes}};
  std::erase_if(used, [](const auto& one) { return one.second == 0; });
  return used;
}

std::vector<ChargeResult> charge_side_by_side(StoreRig& rig, const std::vector<Charge>& charges) {
  return test::charge_side_by_side(rig.loop, *rig.store, charges);
}

TEST_CASE("store: a message counts once, and each of its recipients once") {
  on_every_store([](StoreRig& rig) {
    for (const char* to : {"a@x", "b@x", "a@x", "c@x", "b@x"}) CHECK(rig.charge(recipient("i1", to, 200)).passed);
    CHECK(used(rig) == in_an_hour(1, 3, 200));
    CHECK(rig.charge(recipient("i2", "a@x", 100)).passed);
    CHECK(used(rig) == in_an_hour(2, 4, 300));
  });
}

TEST_CASE("store: without an instance every charge is a message of its own") {
  on_every_store([](StoreRig& rig) {
    CHECK(rig.charge(recipient("", "a@x")).passed);
    CHECK(rig.charge(recipient("", "a@x")).passed);
    CHECK(used(rig) == in_an_hour(2, 2));
  });
}

TEST_CASE("store: all windows are checked before any is changed") {
  on_every_store([](StoreRig& rig) {
    const Limits limits{{Meter::messages, 100, kHour}, {Meter::messages, 2, kDay}, {Meter::recipients, 100, kHour}};
    for (const char* instance : {"i1", "i2"}) CHECK(rig.charge(recipient(instance, "a@x", 0, limits)).passed);
    const ChargeResult result = rig.charge(recipient("i3", "a@x", 0, limits));
    CHECK_FALSE(result.passed);
    CHECK_FALSE(result.local);
    REQUIRE(result.limit.has_value());
    CHECK(result.limit->to_string() == "2/1d");
    CHECK(used(rig) == Used{{"messages/1h", 2}, {"messages/1d", 2}, {"recipients/1h", 2}});
  });
}

TEST_CASE("store: of several limits that are reached the one that takes longest is named") {
  on_every_store([](StoreRig& rig) {
    const Limits limits{{Meter::messages, 1, kDay}, {Meter::messages, 1, kHour}, {Meter::recipients, 1, 2 * kHour}};
    CHECK(rig.charge(recipient("i1", "a@x", 0, limits)).passed);
    const ChargeResult result = rig.charge(recipient("i2", "a@x", 0, limits));
    REQUIRE(result.limit.has_value());
    CHECK(*result.limit == limits[0]);
    REQUIRE(result.retry_after.has_value());
    CHECK(*result.retry_after > kDay - kHour);
    CHECK(*result.retry_after <= kDay + kDay / 60 + Milliseconds{1});
  });
}

TEST_CASE("store: what is refused consumes nothing") {
  on_every_store([](StoreRig& rig) {
    for (const char* instance : {"1", "2", "3", "4", "5"}) CHECK(rig.charge(recipient(instance, "a@x")).passed);
    for (int retry = 0; retry < 20; ++retry) CHECK_FALSE(rig.charge(recipient("6", "a@x")).passed);
    CHECK(used(rig) == in_an_hour(5, 5));
    CHECK(rig.charge(recipient("1", "b@x")).passed);  // one more recipient of a message that is in already
    CHECK_FALSE(rig.charge(recipient("1", "c@x", 1'001)).passed);
    CHECK(used(rig) == in_an_hour(5, 6));
  });
}

TEST_CASE("store: a limit of 0, and more than a limit allows at all, never pass") {
  on_every_store([](StoreRig& rig) {
    const Limits none{{Meter::messages, 0, kHour}};
    struct Case {
      const char* label;
      Charge charge;
      std::string limit;
    };
    const std::vector<Case> cases{
        {"a limit of 0", recipient("i1", "a@x", 0, none), "0/1h"},
        {"a message larger than the limit", recipient("i2", "a@x", 1'001), "1KB/1h"},
        {"more recipients than the limit", settle("i3", 11), "10/1h"},
    };
    for (const Case& c : cases) {
      CAPTURE(c.label);
      const ChargeResult result = rig.charge(c.charge);
      CHECK_FALSE(result.passed);
      REQUIRE(result.limit.has_value());
      CHECK(result.limit->to_string() == c.limit);
      CHECK_FALSE(result.retry_after.has_value());
    }
    CHECK(used(rig).empty());
  });
}

TEST_CASE("store: without limits all passes and nothing is counted") {
  on_every_store([](StoreRig& rig) {
    const Limits none;
    for (const char* instance : {"i1", "i2", ""}) CHECK(rig.charge(recipient(instance, "a@x", 5, none)).passed);
    CHECK(rig.charge(settle("i1", 3, 7, none)).passed);
    CHECK(used(rig).empty());
  });
}

TEST_CASE("store: a message is settled to what was accepted") {
  struct Case {
    const char* label;
    Charge settle;
    Used used;
  };
  const std::vector<Case> cases{
      {"fewer recipients", settle("i1", 1), in_an_hour(1, 1, 300)},
      {"as charged", settle("i1", 3), in_an_hour(1, 3, 300)},
      {"more recipients", settle("i1", 7), in_an_hour(1, 7, 300)},
      {"fewer octets", settle("i1", 3, 120), in_an_hour(1, 3, 120)},
      {"more octets", settle("i1", 3, 900), in_an_hour(1, 3, 900)},
      {"unknown counts leave what was charged", settle("i1", 0), in_an_hour(1, 3, 300)},
      {"a message that nobody has charged", settle("i2", 2, 200), in_an_hour(2, 5, 500)},
      {"down and up at once", settle("i1", 1, 1'000), in_an_hour(1, 1, 1'000)},
  };
  for (const Case& c : cases) {
    on_every_store([&c](StoreRig& rig) {
      CAPTURE(c.label);
      for (const char* to : {"a@x", "b@x", "c@x"}) CHECK(rig.charge(recipient("i1", to, 300)).passed);
      CHECK(rig.charge(c.settle).passed);
      CHECK(used(rig) == c.used);
      CHECK(rig.charge(c.settle).passed);  // END-OF-MESSAGE after DATA
      CHECK(used(rig) == c.used);
    });
  }
}

TEST_CASE("store: a message refused at its end gives all of its charge back") {
  on_every_store([](StoreRig& rig) {
    CHECK(rig.charge(recipient("i1", "a@x", 400)).passed);
    CHECK(rig.charge(recipient("i2", "a@x", 300)).passed);
    const ChargeResult result = rig.charge(settle("i2", 1, 700));
    CHECK_FALSE(result.passed);
    REQUIRE(result.limit.has_value());
    CHECK(result.limit->to_string() == "1KB/1h");
    CHECK(result.retry_after.has_value());
    CHECK(used(rig) == in_an_hour(1, 1, 400));
    CHECK(rig.charge(recipient("i2", "a@x", 100)).passed);  // as a new message
    CHECK(used(rig) == in_an_hour(2, 2, 500));
  });
}

TEST_CASE("store: what the end of a message was refused for elsewhere gives all of its charge back") {
  on_every_store([](StoreRig& rig) {
    CHECK(rig.charge(recipient("i1", "a@x", 400)).passed);
    CHECK(rig.charge(recipient("i2", "a@x", 300)).passed);
    CHECK(rig.charge(recipient("i2", "b@x", 300)).passed);
    Charge refused = settle("i2", 2, 300);
    refused.kind = Charge::Kind::give_back;
    for (int i = 0; i < 2; ++i) {
      CHECK(rig.charge(refused).passed);
      CHECK(used(rig) == in_an_hour(1, 1, 400));
    }
    CHECK(rig.charge(recipient("i2", "a@x", 100)).passed);  // as a new message
    CHECK(used(rig) == in_an_hour(2, 2, 500));
  });
}

TEST_CASE("store: a refusal tells what every window holds without what was refused") {
  on_every_store([](StoreRig& rig) {
    const Limits limits{{Meter::messages, 2, std::chrono::hours(1)}, {Meter::bytes, 1'000, std::chrono::hours(24)}};
    const Limits signs{{Meter::distinct_recipients, 9, std::chrono::hours(1)},
                       {Meter::limit_hits, 9, std::chrono::hours(1)}};
    const auto ask = [&](std::string_view instance, bool with_signs) {
      Charge charge = test::recipient_charge("joe", instance, instance, 400, &limits);
      if (with_signs) charge.signs = &signs;
      return rig.charge(charge);
    };
    CHECK(ask("1", true).uses.empty());
    CHECK(ask("2", true).passed);
    CHECK(ask("3", false).uses == std::vector<LimitUse>{{limits[0], 2}, {limits[1], 800}});
    const auto refused = ask("3", true);
    CHECK_FALSE(refused.passed);
    CHECK(refused.uses == std::vector<LimitUse>{{limits[0], 2}, {limits[1], 800}, {signs[0], 2}, {signs[1], 0}});
  });
}

TEST_CASE("store: a dry run says what would happen and changes nothing") {
  on_every_store([](StoreRig& rig) {
    Charge charge = recipient("i1", "a@x", 1'000);
    charge.dry_run = true;
    CHECK(rig.charge(charge).passed);
    CHECK(rig.charge(charge).passed);
    CHECK(used(rig).empty());
    CHECK(rig.charge(recipient("i1", "a@x", 600)).passed);
    charge.instance = "i2";
    charge.bytes = 401;
    const ChargeResult refused = rig.charge(charge);
    CHECK_FALSE(refused.passed);
    CHECK(refused.retry_after.has_value());
    Charge end = settle("i1", 4, 800);
    end.dry_run = true;
    CHECK(rig.charge(end).passed);
    CHECK(used(rig) == in_an_hour(1, 1, 600));
  });
}

TEST_CASE("store: octets are counted exactly up to the largest limit") {
  on_every_store([](StoreRig& rig) {
    const Limits limits{{Meter::bytes, kMost, kDay}};
    CHECK(rig.charge(recipient("i1", "a@x", kMost - 1, limits)).passed);
    CHECK_FALSE(rig.charge(recipient("i2", "a@x", 2, limits)).passed);
    CHECK(rig.charge(recipient("i2", "a@x", 1, limits)).passed);
    CHECK(used(rig) == Used{{"bytes/1d", kMost}});
    CHECK(rig.charge(settle("i1", 1, 3, limits)).passed);
    CHECK(used(rig) == Used{{"bytes/1d", 4}});
  });
}

TEST_CASE("store: accounts of any name are charged, listed and reset on their own") {
  const std::vector<std::string> accounts{
      "joe",       "joe@example.com", "a{b}c",      "{}",        "}{",   "a:b:c",   "a b",  "a=b",
      "a\nb\r\nc", "j\xc3\xb6rg@ex\xc3\xa4mple.com", "*", "?[a]", "\"q\"", "'; --", "\\x00", "2001:db8::/64",
      "%s%n",      std::string(300, 'x')};
  on_every_store([&accounts](StoreRig& rig) {
    for (const std::string& account : accounts) {
      Charge charge = recipient("i1", "a@x");
      charge.account = account;
      CHECK(rig.charge(charge).passed);
    }
    const auto page = rig.run(rig.store->list_usage(1'000));
    REQUIRE(page.ok());
    CHECK_FALSE(page->more);
    std::map<std::string, size_t> listed;
    for (const AccountUsage& one : page->accounts) listed[one.account] = one.usage.size();
    CHECK(listed.size() == accounts.size());
    for (const std::string& account : accounts) {
      CAPTURE(account);
      CHECK(listed[account] == 2);
      CHECK(rig.used(account) == in_an_hour(1, 1));
      CHECK(rig.run(rig.store->reset_usage(account)).value());
      CHECK_FALSE(rig.run(rig.store->reset_usage(account)).value());
      CHECK(rig.used(account).empty());
    }
  });
}

TEST_CASE("store: a list is cut where it is told, and says so") {
  on_every_store([](StoreRig& rig) {
    const auto empty = rig.run(rig.store->list_usage(10));
    REQUIRE(empty.ok());
    CHECK(empty->accounts.empty());
    CHECK_FALSE(empty->more);
    for (int i = 0; i < 30; ++i) {
      const std::string account = "user" + std::to_string(i);
      Charge charge = recipient("i1", "a@x");
      charge.account = account;
      CHECK(rig.charge(charge).passed);
    }
    for (const auto& [limit, more] : std::map<size_t, bool>{{10, true}, {29, true}, {30, false}, {100, false}}) {
      const auto page = rig.run(rig.store->list_usage(limit));
      REQUIRE(page.ok());
      CHECK(page->accounts.size() == std::min<size_t>(limit, 30));
      CHECK(page->more == more);
    }
  });
}

TEST_CASE("store: an account that was reset has its full limits") {
  on_every_store([](StoreRig& rig) {
    for (const char* instance : {"1", "2", "3", "4", "5"}) CHECK(rig.charge(recipient(instance, "a@x")).passed);
    CHECK_FALSE(rig.charge(recipient("6", "a@x")).passed);
    CHECK(rig.run(rig.store->reset_usage("joe@example.com")).value());
    for (const char* instance : {"6", "7", "8", "9", "10"}) CHECK(rig.charge(recipient(instance, "a@x")).passed);
    CHECK_FALSE(rig.charge(recipient("11", "a@x")).passed);
  });
}

TEST_CASE("store: of 200 messages side by side at 60 an hour exactly 60 pass") {
  on_every_store([](StoreRig& rig) {
    const Limits limits{{Meter::messages, 60, kHour}, {Meter::recipients, 1'000, kDay}};
    std::vector<std::string> instances;
    for (int i = 0; i < 200; ++i) instances.push_back("instance" + std::to_string(i));
    std::vector<Charge> charges;
    for (const std::string& instance : instances) charges.push_back(recipient(instance, "a@x", 0, limits));
    int64_t passed = 0;
    for (const ChargeResult& result : charge_side_by_side(rig, charges)) passed += result.passed ? 1 : 0;
    CHECK(passed == 60);
    CHECK(used(rig) == Used{{"messages/1h", 60}, {"recipients/1d", 60}});
  });
}

TEST_CASE("store: one recipient asked by many lists side by side counts once") {
  on_every_store([](StoreRig& rig) {
    const std::vector<Charge> charges(50, recipient("i1", "a@x", 100));
    for (const ChargeResult& result : charge_side_by_side(rig, charges)) CHECK(result.passed);
    CHECK(used(rig) == in_an_hour(1, 1, 100));
  });
}

TEST_CASE("store: counters outlive the store, where it is durable") {
  on_every_store([](StoreRig& rig) {
    for (const char* instance : {"1", "2", "3"}) CHECK(rig.charge(recipient(instance, "a@x", 50)).passed);
    rig.restart();
    CHECK(used(rig) == (rig.kind.durable ? in_an_hour(3, 3, 150) : Used{}));
    CHECK(rig.charge(recipient("4", "a@x")).passed);
    CHECK(rig.run(rig.store->reset_usage("joe@example.com")).value());
    rig.restart();
    CHECK(used(rig).empty());
  });
}

TEST_CASE("store: it knows its nodes and its state") {
  on_every_store([](StoreRig& rig) {
    const auto nodes = rig.run(rig.store->nodes());
    REQUIRE(nodes.ok());
    CHECK(nodes->size() == 1);
    const StoreStatus status = rig.store->status();
    CHECK(status.available);
    CHECK_FALSE(status.url.empty());
    CHECK_FALSE(status.detail.empty());
    CHECK(status.pending_merge == 0);
  });
}

}  // namespace
}  // namespace policyd
