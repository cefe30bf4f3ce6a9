// The contract of signs: different recipients and client networks, exactly; and what Postfix refused.
#include "tests/contract/store_rig.h"
#include "tests/support/charges.h"
#include "tests/support/lock_requests.h"

namespace policyd {
namespace {

using test::on_every_store;
using test::StoreRig;
using Used = std::map<std::string, int64_t>;

constexpr Milliseconds kHour{3'600'000};
constexpr Milliseconds kDay{86'400'000};
const Limits kNone;
const Limits kMail{{Meter::messages, 3, kHour}, {Meter::bytes, 1'000, kHour}};

struct Asked {
  const Limits& signs;
  const Limits& limits = kNone;
  int64_t bytes = 0;
  std::string_view network{};
};

Charge recipient(std::string_view instance, std::string_view to, const Asked& asked) {
  Charge charge = test::recipient_charge("joe", instance, to, asked.bytes, &asked.limits);
  charge.signs = &asked.signs;
  charge.network = asked.network;
  return charge;
}

Charge settle(std::string_view instance, int64_t recipients, const Asked& asked) {
  Charge charge = test::settle_charge("joe", instance, recipients, asked.bytes, &asked.limits);
  charge.signs = &asked.signs;
  return charge;
}

Charge sign(Meter meter, int64_t amount, const Limits& signs) {
  Charge charge;
  charge.kind = Charge::Kind::sign;
  charge.account = "joe";
  charge.limits = &kNone;
  charge.signs = &signs;
  charge.meter = meter;
  charge.amount = amount;
  return charge;
}

Used used(StoreRig& rig) { return rig.used("joe"); }

std::string told(const ChargeResult& result) {
  std::string text = result.passed ? "passed" : "refused by " + result.limit.value().to_string();
  if (result.sign) {
    text += ", " + std::string(meter_name(result.sign->meter)) + " " + std::to_string(result.sign_used) + " of " +
            result.sign->to_string();
  }
  return text;
}

TEST_CASE("signs: different recipients count once, over messages and windows") {
  on_every_store([](StoreRig& rig) {
    const Limits signs{{Meter::distinct_recipients, 100, kHour}, {Meter::distinct_recipients, 200, kDay}};
    for (const char* instance : {"1", "2", ""}) {
      for (const char* to : {"a@x", "b@x", "a@x", "c@x"}) {
        CHECK(told(rig.charge(recipient(instance, to, {signs}))) == "passed");
      }
    }
    CHECK(used(rig) == Used{{"distinct_recipients/1h", 3}, {"distinct_recipients/1d", 3}});
  });
}

TEST_CASE("signs: a new recipient beyond the limit is refused, one that is known is not") {
  on_every_store([](StoreRig& rig) {
    const Limits signs{{Meter::distinct_recipients, 2, kHour}, {Meter::distinct_recipients, 5, kDay}};
    for (const char* to : {"a@x", "b@x"}) CHECK(told(rig.charge(recipient(to, to, {signs}))) == "passed");
    const ChargeResult refused = rig.charge(recipient("3", "c@x", {signs}));
    CHECK(told(refused) == "refused by 2/1h, distinct_recipients 3 of 2/1h");
    REQUIRE(refused.retry_after.has_value());
    CHECK(*refused.retry_after > kHour - kHour / 30);
    CHECK(*refused.retry_after <= kHour + kHour / 60 + Milliseconds{1});
    CHECK(told(rig.charge(recipient("4", "a@x", {signs}))) == "passed");
    CHECK(used(rig) == Used{{"distinct_recipients/1h", 2}, {"distinct_recipients/1d", 2}});
    const Limits none{{Meter::distinct_recipients, 0, kHour}};
    const ChargeResult never = rig.charge(recipient("5", "d@x", {none}));
    CHECK(told(never) == "refused by 0/1h, distinct_recipients 3 of 0/1h");
    CHECK_FALSE(never.retry_after.has_value());
  });
}

// Some at a time: a store whose answer takes long is away.
void charge_each(StoreRig& rig, const std::vector<std::string>& names, const Limits& signs) {
  constexpr size_t kAtOnce = 250;
  std::vector<Charge> charges;
  for (const std::string& name : names) {
    charges.push_back(recipient("", name, {signs}));
    if (charges.size() < kAtOnce && &name != &names.back()) continue;
    CHECK(test::all_passed(test::charge_side_by_side(rig.loop, *rig.store, charges)));
    charges.clear();
  }
}

TEST_CASE("signs: 500 and 100,000 different recipients are exactly so many") {
  on_every_store([](StoreRig& rig) {
    const Limits signs{{Meter::distinct_recipients, 100'000, kDay}};
    std::vector<std::string> names;
    for (int i = 0; i < 100'000; ++i) names.push_back("recipient" + std::to_string(i) + "@example.com");
    ptrdiff_t counted = 0;
    for (const ptrdiff_t all : {1, 500, 100'000}) {
      charge_each(rig, {names.begin() + counted, names.begin() + all}, signs);
      charge_each(rig, {names.begin() + (all - std::min<ptrdiff_t>(all, 300)), names.begin() + all}, signs);  // again
      counted = all;
      CHECK(used(rig) == Used{{"distinct_recipients/1d", all}});
    }
    CHECK(told(rig.charge(recipient("", "one@too.many", {signs}))) ==
          "refused by 100000/1d, distinct_recipients 100001 of 100000/1d");
  });
}

TEST_CASE("signs: of 200 recipients side by side at 60 a day exactly 60 pass") {
  on_every_store([](StoreRig& rig) {
    const Limits signs{{Meter::distinct_recipients, 60, kDay}, {Meter::invalid_recipients, 1'000, kDay}};
    std::vector<std::string> names;
    for (int i = 0; i < 200; ++i) names.push_back("r" + std::to_string(i) + "@x");
    std::vector<Charge> charges;
    for (const std::string& name : names) charges.push_back(recipient(name, name, {signs}));
    for (const std::string& name : names) charges.push_back(recipient(name, name, {signs}));
    int64_t passed = 0;
    for (const ChargeResult& result : test::charge_side_by_side(rig.loop, *rig.store, charges)) passed += result.passed;
    CHECK(passed == 120);
    CHECK(used(rig) == Used{{"distinct_recipients/1d", 60}});
  });
}

TEST_CASE("signs: client networks count once each") {
  on_every_store([](StoreRig& rig) {
    const Limits signs{{Meter::client_networks, 2, kDay}};
    for (const char* network : {"192.0.2.0/24", "2001:db8::/64", "192.0.2.0/24", ""}) {
      CHECK(told(rig.charge(recipient("", "a@x", {signs, kNone, 0, network}))) == "passed");
    }
    CHECK(told(rig.charge(recipient("", "a@x", {signs, kNone, 0, "198.51.100.0/24"}))) ==
          "refused by 2/1d, client_networks 3 of 2/1d");
    CHECK(used(rig) == Used{{"client_networks/1d", 2}});
  });
}

TEST_CASE("signs: what another limit refuses leaves no element behind") {
  on_every_store([](StoreRig& rig) {
    const Limits signs{{Meter::distinct_recipients, 100, kDay}, {Meter::client_networks, 9, kDay}};
    for (const char* instance : {"1", "2", "3"}) {
      CHECK(told(rig.charge(recipient(instance, "a@x", {signs, kMail, 0, "192.0.2.0/24"}))) == "passed");
    }
    CHECK(told(rig.charge(recipient("4", "b@x", {signs, kMail, 0, "198.51.100.0/24"}))) == "refused by 3/1h");
    CHECK(told(rig.charge(recipient("5", "c@x", {signs, kMail}))) == "refused by 3/1h");
    CHECK(told(rig.charge(recipient("1", "d@x", {signs, kMail}))) == "passed");
    CHECK(used(rig) == Used{{"messages/1h", 3}, {"distinct_recipients/1d", 2}, {"client_networks/1d", 1}});
  });
}

TEST_CASE("signs: a message refused at its end leaves its different recipients counted") {
  on_every_store([](StoreRig& rig) {
    const Limits signs{{Meter::distinct_recipients, 100, kDay}, {Meter::distinct_recipients, 90, kHour}};
    CHECK(rig.charge(recipient("1", "a@x", {signs, kMail, 100})).passed);
    for (const char* to : {"a@x", "b@x", "c@x"}) CHECK(rig.charge(recipient("2", to, {signs, kMail, 100})).passed);
    CHECK(used(rig).at("distinct_recipients/1d") == 3);
    CHECK(told(rig.charge(settle("2", 3, {signs, kMail, 1'001}))) == "refused by 1KB/1h");
    CHECK(used(rig) == Used{{"messages/1h", 1}, {"bytes/1h", 100}, {"distinct_recipients/1d", 3},
                            {"distinct_recipients/1h", 3}});
    for (const char* to : {"b@x", "d@x"}) CHECK(rig.charge(recipient("3", to, {signs, kMail})).passed);
    CHECK(used(rig).at("distinct_recipients/1h") == 4);
  });
}

TEST_CASE("signs: recipients that Postfix did not accept are invalid, once for each message") {
  on_every_store([](StoreRig& rig) {
    const Limits signs{{Meter::invalid_recipients, 3, kDay}};
    for (const char* to : {"a@x", "b@x", "c@x", "d@x", "a@x"}) CHECK(rig.charge(recipient("1", to, {signs})).passed);
    CHECK(told(rig.charge(settle("1", 2, {signs}))) == "passed");
    CHECK(told(rig.charge(settle("1", 2, {signs}))) == "passed");  // END-OF-MESSAGE after DATA
    CHECK(used(rig) == Used{{"invalid_recipients/1d", 2}});
    CHECK(told(rig.charge(settle("2", 9, {signs}))) == "passed");  // nobody has charged it
    CHECK(told(rig.charge(settle("1", 0, {signs}))) == "passed");  // it is not known how many were accepted
    for (const char* to : {"a@x", "b@x", "c@x"}) CHECK(rig.charge(recipient("3", to, {signs})).passed);
    CHECK(told(rig.charge(settle("3", 1, {signs}))) == "passed, invalid_recipients 4 of 3/1d");
    CHECK(told(rig.charge(recipient("4", "a@x", {signs}))) == "passed, invalid_recipients 4 of 3/1d");
  });
}

TEST_CASE("signs: a sign alone is counted, and always passes") {
  on_every_store([](StoreRig& rig) {
    const Limits signs{{Meter::spam, 2, kHour}, {Meter::invalid_recipients, 50, kDay}};
    CHECK(told(rig.charge(sign(Meter::spam, 1, signs))) == "passed");
    CHECK(told(rig.charge(sign(Meter::invalid_recipients, 30, signs))) == "passed");
    CHECK(told(rig.charge(sign(Meter::spam, 2, signs))) == "passed, spam 3 of 2/1h");
    CHECK(told(rig.charge(sign(Meter::limit_hits, 5, signs))) == "passed, spam 3 of 2/1h");  // not limited
    CHECK(used(rig) == Used{{"spam/1h", 3}, {"invalid_recipients/1d", 30}});
  });
}

TEST_CASE("signs: a dry run tells them and changes nothing") {
  on_every_store([](StoreRig& rig) {
    const Limits signs{{Meter::distinct_recipients, 1, kDay}, {Meter::limit_hits, 9, kDay}};
    Charge dry = recipient("1", "a@x", {signs});
    dry.dry_run = true;
    CHECK(told(rig.charge(dry)) == "passed");
    CHECK(used(rig).empty());
    CHECK(told(rig.charge(recipient("1", "a@x", {signs}))) == "passed");
    dry = recipient("2", "b@x", {signs});
    dry.dry_run = true;
    CHECK(told(rig.charge(dry)) == "refused by 1/1d, distinct_recipients 2 of 1/1d");
    Charge spam = sign(Meter::limit_hits, 5, signs);
    spam.dry_run = true;
    CHECK(told(rig.charge(spam)) == "passed");
    CHECK(used(rig) == Used{{"distinct_recipients/1d", 1}});
  });
}

TEST_CASE("signs: they are reset with the account, and outlive the store where it is durable") {
  on_every_store([](StoreRig& rig) {
    const Limits signs{{Meter::distinct_recipients, 2, kDay}, {Meter::spam, 5, kDay}};
    for (const char* to : {"a@x", "b@x"}) CHECK(rig.charge(recipient("", to, {signs})).passed);
    rig.charge(sign(Meter::spam, 1, signs));
    rig.restart();
    if (rig.kind.durable) {
      CHECK(used(rig) == Used{{"distinct_recipients/1d", 2}, {"spam/1d", 1}});
      CHECK(told(rig.charge(recipient("", "a@x", {signs}))) == "passed");
      CHECK_FALSE(rig.charge(recipient("", "c@x", {signs})).passed);
    } else {
      for (const char* to : {"a@x", "b@x"}) CHECK(rig.charge(recipient("", to, {signs})).passed);
    }
    const auto page = rig.run(rig.store->list_usage(10));
    REQUIRE(page.ok());
    CHECK(page->accounts.size() == 1);
    CHECK(rig.run(rig.store->reset_usage("joe")).value());
    CHECK_FALSE(rig.run(rig.store->reset_usage("joe")).value());
    for (const char* to : {"c@x", "d@x"}) CHECK(told(rig.charge(recipient("", to, {signs}))) == "passed");
    rig.restart();
    CHECK(used(rig) == (rig.kind.durable ? Used{{"distinct_recipients/1d", 2}} : Used{}));
  });
}

TEST_CASE("signs: with a lock that is lifted or ends they are counted anew, and what was sent stays counted") {
  on_every_store([](StoreRig& rig) {
    const Limits signs{{Meter::distinct_recipients, 2, kDay}, {Meter::spam, 5, kDay}};
    const Limits mail{{Meter::messages, 3, kDay}, {Meter::bytes, 1'000, kDay}};
    for (const bool by_hand : {true, false}) {
      CAPTURE(by_hand);
      for (const char* to : {"a@x", "b@x"}) CHECK(rig.charge(recipient("", to, {signs, mail, 100})).passed);
      CHECK(rig.charge(sign(Meter::spam, 6, signs)).sign == signs[1]);
      REQUIRE(rig.run(rig.store->lock(test::lock_for_a_sign("joe"))).ok());
      if (by_hand) {
        REQUIRE(rig.run(rig.store->unlock("joe", "ann")).ok());
      } else {
        rig.age_lock("joe", kHour + std::chrono::seconds(12));
        rig.loop.turn_until([&] { return rig.mirror.lock("joe") == nullptr; });
        REQUIRE(rig.run(rig.store->end_locks()).value().size() == 1);
      }
      CHECK(used(rig) == Used{{"messages/1d", 2}, {"bytes/1d", 200}});
      CHECK(told(rig.charge(recipient("", "c@x", {signs, mail, 100}))) == "passed");
      CHECK(used(rig) == Used{{"messages/1d", 3}, {"bytes/1d", 300}, {"distinct_recipients/1d", 1}});
      CHECK(rig.run(rig.store->reset_usage("joe")).value());
    }
  });
}

TEST_CASE("signs: a message that is given back leaves its different recipients counted") {
  on_every_store([](StoreRig& rig) {
    const Limits signs{{Meter::distinct_recipients, 9, kDay}};
    const Asked asked{signs, kMail, 100};
    for (const char* instance : {"i1", "i2"}) {
      for (const char* to : {"a@x", "b@x"}) CHECK(rig.charge(recipient(instance, to, asked)).passed);
    }
    Charge back = settle("i1", 0, asked);
    back.kind = Charge::Kind::give_back;
    for (int twice = 0; twice < 2; ++twice) {
      CHECK(rig.charge(back).passed);
      CHECK(used(rig) == Used{{"messages/1h", 1}, {"bytes/1h", 100}, {"distinct_recipients/1d", 2}});
    }
  });
}

}  // namespace
}  // namespace policyd
