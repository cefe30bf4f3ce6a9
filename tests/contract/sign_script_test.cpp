// Signs in the charge script against the ledger, and both against sets that are kept by hand, on a clock that the test
// turns: windows that slide, elements that are new in one and known in another, what is given back.
#include <algorithm>
#include <cstdint>
#include <map>
#include <random>
#include <string>
#include <vector>

#include "policyd/store/ledger.h"
#include "tests/contract/script_rig.h"
#include "tests/support/charges.h"
#include "tests/support/fake_clock.h"

namespace policyd {
namespace {

using test::describe;
using test::FakeClock;
using test::ScriptRig;
using test::to_map;
using test::to_text;

constexpr Milliseconds kMinute{60'000};
constexpr Milliseconds kHour{3'600'000};

const Limits kNone;
const Limits kMail{{Meter::messages, 60, kMinute}, {Meter::bytes, 9'000, kMinute}};
const Limits kSigns{{Meter::distinct_recipients, 12, kMinute}, {Meter::client_networks, 3, kMinute},
                    {Meter::distinct_recipients, 20, kHour},   {Meter::invalid_recipients, 9, kMinute},
                    {Meter::spam, 3, Milliseconds{7'001}},     {Meter::limit_hits, 5, kHour},
                    {Meter::distinct_recipients, 9, Milliseconds{7'001}}};

std::string tell(const ChargeResult& result) {
  std::string text = describe(result);
  if (result.sign) {
    text += ", " + std::string(meter_name(result.sign->meter)) + " " + std::to_string(result.sign_used) + " of " +
            result.sign->to_string();
  }
  return text;
}

// Random charges of two accounts: few recipients and messages, so that they meet.
class Charges {
 public:
  explicit Charges(uint64_t seed) : random_(seed) {
    for (int i = 0; i < 30; ++i) recipients_.push_back("r" + std::to_string(i) + "@x");
  }

  Charge next() {
    static const std::vector<std::string> kAccounts{"joe", "ann"};
    static const std::vector<std::string> kNetworks{"", "192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/24",
                                                    "2001:db8::/64"};
    Charge charge;
    charge.account = kAccounts[below(2)];
    charge.limits = below(4) == 0 ? &kNone : &kMail;
    charge.signs = &kSigns;
    charge.dry_run = below(8) == 0;
    if (below(8) == 0) {
      charge.kind = Charge::Kind::sign;
      charge.meter = below(2) == 0 ? Meter::spam : Meter::invalid_recipients;
      charge.amount = static_cast<int64_t>(below(3));
      return charge;
    }
    charge.instance = instances_[below(instances_.size())];
    charge.bytes = static_cast<int64_t>(below(5) == 0 ? below(12'000) : below(300));
    if (below(3) == 0) {
      charge.kind = Charge::Kind::settle;
      charge.recipients = static_cast<int64_t>(below(6));
      if (below(5) == 0 && !charge.dry_run) charge.kind = Charge::Kind::give_back;
    } else {
      charge.recipient = recipients_[below(recipients_.size())];
      charge.network = kNetworks[below(kNetworks.size())];
    }
    return charge;
  }
  size_t below(size_t bound) { return random_() % bound; }

  // A message that was settled does not come again.
  void forget(std::string_view instance) {
    const auto found = std::find(instances_.begin(), instances_.end(), instance);
    if (found != instances_.end() && !found->empty()) *found = std::to_string(++used_) + "th";
  }

 private:
  std::vector<std::string> instances_{"", "1", "2", "3", "4", "5", "6"};
  std::vector<std::string> recipients_;
  int used_ = 0;
  std::mt19937_64 random_;
};

std::string used_in(ScriptRig& rig, std::string_view account, WallTime now) {
  return to_text(rig.used(account, now));
}

void compare(ScriptRig& rig, const Ledger& ledger, WallTime now) {
  for (const char* account : {"joe", "ann"}) {
    CAPTURE(account);
    for (const Milliseconds later : {Milliseconds{0}, Milliseconds{1'700}, kMinute / 2, kMinute, kHour}) {
      CAPTURE(later.count());
      REQUIRE(used_in(rig, account, now + later) == to_text(ledger.usage(account, now + later).usage));
    }
  }
}

// The same charges to the script and the ledger, in runs of up to six. When the two drop what has run out, or stands in
// the future, is their own affair: where the clock goes back it may count once more in one of them.
void run_both(ScriptRig& rig, Ledger& ledger, Charges& charges, FakeClock& clock, bool clock_goes_back) {
  for (int run = 0; run < 600; ++run) {
    CAPTURE(run);
    clock.advance(Milliseconds(static_cast<int64_t>(charges.below(charges.below(20) == 0 ? 90'000 : 900))));
    if (clock_goes_back && charges.below(100) == 0) {
      clock.set_wall(clock.wall() - Milliseconds(static_cast<int64_t>(charges.below(90'000))));
    }
    rig.set_time(clock.wall());
    std::vector<Charge> batch;
    for (size_t i = 0; i <= charges.below(6); ++i) batch.push_back(charges.next());
    const auto results = rig.charge(batch);
    for (size_t i = 0; i < batch.size(); ++i) {
      CAPTURE(i);
      const auto expected = ledger.charge(batch[i], *batch[i].limits, clock.wall(), batch[i].signs);
      if (!clock_goes_back) REQUIRE(tell(results[i]) == tell(expected));
    }
    for (const Charge& charge : batch) {
      const bool ends = charge.kind == Charge::Kind::settle || charge.kind == Charge::Kind::give_back;
      if (ends) charges.forget(charge.instance);
    }
    if (!clock_goes_back && run % 4 == 0) compare(rig, ledger, clock.wall());
  }
}

TEST_CASE("sign script: it answers and counts as the ledger does") {
  for (const uint64_t seed : {1, 2, 3, 4, 5, 6}) {
    CAPTURE(seed);
    ScriptRig rig;
    Ledger ledger(seed);
    Charges charges(seed);
    FakeClock clock;
    run_both(rig, ledger, charges, clock, false);
  }
}

TEST_CASE("sign script: a clock that was set back is forgotten with the windows") {
  for (const uint64_t seed : {7, 8}) {
    CAPTURE(seed);
    ScriptRig rig;
    Ledger ledger(seed);
    Charges charges(seed);
    FakeClock clock;
    run_both(rig, ledger, charges, clock, true);
    clock.advance(2 * kHour);
    compare(rig, ledger, clock.wall());
    run_both(rig, ledger, charges, clock, false);
  }
}

// What a window of 60 buckets must hold: those whose bucket is not older than the window.
int64_t in_window(const std::map<std::string, WallTime>& seen, Milliseconds window, WallTime now) {
  const auto bucket = [&window](WallTime time) { return time.time_since_epoch().count() * 60 / window.count(); };
  return std::count_if(seen.begin(), seen.end(),
                       [&](const auto& one) { return bucket(one.second) >= bucket(now) - 60; });
}

TEST_CASE("sign script: what a window holds is what was seen in it, whatever was seen again") {
  ScriptRig rig;
  Ledger ledger(7);
  FakeClock clock;
  std::mt19937_64 random(7);
  std::map<std::string, WallTime> seen;
  const Limits signs{{Meter::distinct_recipients, 1'000, kMinute}, {Meter::distinct_recipients, 1'000, kHour}};
  for (int i = 0; i < 1'500; ++i) {
    CAPTURE(i);
    clock.advance(Milliseconds(static_cast<int64_t>(random() % (random() % 50 == 0 ? 900'000 : 2'000))));
    rig.set_time(clock.wall());
    const std::string to = "r" + std::to_string(random() % 200) + "@x";
    Charge charge = test::recipient_charge("joe", "", to, 0, &kNone);
    charge.signs = &signs;
    REQUIRE(rig.charge({charge}).at(0).passed);
    REQUIRE(ledger.charge(charge, kNone, clock.wall(), &signs).passed);
    seen[to] = clock.wall();
    std::string expected;
    for (const Limit& limit : {signs[1], signs[0]}) {
      expected += "distinct_recipients/" + format_duration(limit.window) + ": " +
                  std::to_string(in_window(seen, limit.window, clock.wall())) + "; ";
    }
    REQUIRE(used_in(rig, "joe", clock.wall()) == expected);
    REQUIRE(to_text(ledger.usage("joe", clock.wall()).usage) == expected);
  }
  CHECK(rig.ask({"HLEN", rig.keys().seen("joe")}).integer <= 256);
  CHECK(rig.ask({"PTTL", rig.keys().seen("joe")}).integer > kHour.count());
  CHECK(rig.ask({"PTTL", rig.keys().seen("joe")}).integer <= kHour.count() * 105 / 100 + 1);
}

TEST_CASE("sign script: what was seen expires, also where something else was counted first in its bucket") {
  ScriptRig rig;
  FakeClock clock;
  rig.set_time(clock.wall());
  Charge sign = test::recipient_charge("joe", "", {}, 0, &kNone);
  sign.kind = Charge::Kind::sign;
  sign.signs = &kSigns;
  sign.meter = Meter::invalid_recipients;
  sign.amount = 1;
  Charge charge = test::recipient_charge("joe", "", "a@x", 0, &kNone);
  charge.signs = &kSigns;
  charge.network = "192.0.2.0/24";
  rig.charge({sign});
  rig.charge({charge});
  CHECK(rig.ask({"HLEN", rig.keys().seen("joe")}).integer == 2);
  CHECK(rig.ask({"PTTL", rig.keys().seen("joe")}).integer > kHour.count());
}

TEST_CASE("sign script: what somebody else wrote is taken for nothing") {
  const Limits signs{{Meter::distinct_recipients, 5, kHour}};
  Charge charge = test::recipient_charge("joe", "", "a@x", 0, &kNone);
  charge.signs = &signs;
  for (const char* command : {"SET", "SADD"}) {
    ScriptRig rig;
    FakeClock clock;
    rig.set_time(clock.wall());
    rig.ask({command, rig.keys().rate("joe"), "nonsense"});
    rig.ask({command, rig.keys().seen("joe"), "nonsense"});
    CHECK(rig.charge({charge, charge}).at(1).passed);
    CHECK(to_text(rig.used("joe", clock.wall())) == "distinct_recipients/1h: 1; ");
  }
}

// Of "a@x", from a network; neither is near its limit.
Charge with_elements() {
  static const Limits kFar{{Meter::distinct_recipients, 50, kHour}, {Meter::client_networks, 50, kHour}};
  Charge charge = test::recipient_charge("joe", "", "a@x", 0, &kNone);
  charge.signs = &kFar;
  charge.network = "192.0.2.0/24";
  return charge;
}

TEST_CASE("sign script: an element that is lost begins anew, and expires") {
  const Charge charge = with_elements();
  Charge other = charge, third = charge;
  other.recipient = "b@x";
  third.recipient = "c@x";
  for (const char* instead : {"", "foreign"}) {
    ScriptRig rig;
    FakeClock clock;
    rig.set_time(clock.wall());
    CHECK(rig.charge({charge, third}).at(0).passed);
    rig.ask({"DEL", rig.keys().seen("joe")});
    if (*instead != 0) rig.ask({"SET", rig.keys().seen("joe"), instead});
    CHECK(rig.charge({other}).at(0).passed);
    CHECK(rig.ask({"HLEN", rig.keys().seen("joe")}).integer == 1);
    CHECK(rig.ask({"PTTL", rig.keys().seen("joe")}).integer > kHour.count());
  }
}

TEST_CASE("sign script: what was seen goes with the counters that it is counted in") {
  const Charge charge = with_elements();
  Charge other = charge;
  other.recipient = "b@x";
  for (const char* instead : {"", "foreign"}) {
    ScriptRig rig;
    const FakeClock clock;
    rig.set_time(clock.wall());
    rig.charge({charge, other});
    rig.ask({"DEL", rig.keys().rate("joe")});
    if (*instead != 0) rig.ask({"SET", rig.keys().rate("joe"), instead});
    Charge asked = charge;
    asked.dry_run = true;
    rig.charge({asked});
    CHECK(rig.ask({"EXISTS", rig.keys().seen("joe")}).integer == 1);
    rig.charge({charge, other, charge});
    CHECK(to_text(rig.used("joe", clock.wall())) == "client_networks/1h: 1; distinct_recipients/1h: 2; ");
    CHECK(rig.ask({"PTTL", rig.keys().seen("joe")}).integer > kHour.count());
  }
}

TEST_CASE("sign script: after a clock was set back beyond the window an element counts once, as in the ledger") {
  const Charge charge = with_elements();
  ScriptRig rig;
  FakeClock clock;
  Ledger ledger(1);
  for (const Milliseconds step : {Milliseconds(0), -2 * kHour, Milliseconds(0), kHour / 60}) {
    clock.advance(step);
    rig.set_time(clock.wall());
    for (int i = 0; i < 3; ++i) {
      rig.charge({charge});
      ledger.charge(charge, kNone, clock.wall(), charge.signs);
    }
    const std::string once = "client_networks/1h: 1; distinct_recipients/1h: 1; ";
    CHECK(to_text(rig.used("joe", clock.wall())) == once);
    CHECK(to_text(ledger.usage("joe", clock.wall()).usage) == once);
  }
}

TEST_CASE("sign script: the network seen last is looked up once a bucket, unless another one comes between") {
  const Limits signs{{Meter::client_networks, 50, kHour}};
  ScriptRig rig;
  FakeClock clock;
  rig.set_time(clock.wall());
  const auto networks_after = [&](std::string_view network) {
    Charge charge = test::recipient_charge("joe", "", "a@x", 0, &kMail);
    charge.signs = &signs;
    charge.network = network;
    CHECK(rig.charge({charge}).at(0).passed);
    return to_map(rig.used("joe", clock.wall())).at("client_networks/1h");
  };
  const auto lose = [&rig] { rig.ask({"DEL", rig.keys().seen("joe")}); };
  CHECK(networks_after("192.0.2.0/24") == 1);
  lose();  // what is lost shows where it is looked up
  CHECK(networks_after("192.0.2.0/24") == 1);
  CHECK(networks_after("198.51.100.0/24") == 2);
  CHECK(networks_after("192.0.2.0/24") == 3);
  lose();
  clock.advance(kHour / 60);
  rig.set_time(clock.wall());
  CHECK(networks_after("192.0.2.0/24") == 4);
  CHECK(networks_after("192.0.2.0/24") == 4);
  CHECK(rig.ask({"PTTL", rig.keys().seen("joe")}).integer > kHour.count());
}

TEST_CASE("sign script: what somebody else wrote for one account costs no other its elements") {
  const Limits signs{{Meter::distinct_recipients, 50, kHour}};
  ScriptRig rig;
  FakeClock clock;
  rig.set_time(clock.wall());
  Charge ann = test::recipient_charge("ann", "1", "a@x", 0, &kMail);
  ann.signs = &signs;
  CHECK(rig.charge({ann}).at(0).passed);
  rig.ask({"SET", rig.keys().seen("joe"), "foreign"});
  Charge joe = test::recipient_charge("joe", "", "b@x", 0, &kMail);
  Charge settle = test::settle_charge("ann", "1", 1, 100, &kMail);
  joe.signs = settle.signs = &signs;
  for (const ChargeResult& result : rig.charge({joe, settle})) CHECK(result.passed);
  ann.instance = "2";
  CHECK(rig.charge({ann}).at(0).passed);
  CHECK(to_map(rig.used("ann", clock.wall())).at("distinct_recipients/1h") == 1);
}

// A counter that the limits of one charge do not know has its newest bucket among the others after it.
TEST_CASE("sign script: an element moves out of its bucket wherever that stands") {
  const Limits signs{{Meter::distinct_recipients, 50, kMinute}, {Meter::distinct_recipients, 50, kHour}};
  ScriptRig rig;
  Ledger ledger(1);
  FakeClock clock;
  Charge with_signs = test::recipient_charge("joe", "", "a@x", 100, &kMail);
  with_signs.signs = &signs;
  const Charge without = test::recipient_charge("joe", "", "a@x", 100, &kMail);
  for (const int64_t later : {0, 1'000, 1'000, 500, 1'000}) {
    clock.advance(Milliseconds(later));
    rig.set_time(clock.wall());
    for (const Charge& charge : {with_signs, without}) {
      CHECK(rig.charge({charge}).at(0).passed);
      ledger.charge(charge, kMail, clock.wall(), charge.signs);
    }
    compare(rig, ledger, clock.wall());
  }
}

TEST_CASE("sign script: what was seen is merged at its time, and moves nothing back") {
  const Limits signs{{Meter::distinct_recipients, 50, kHour}, {Meter::distinct_recipients, 50, 24 * kHour}};
  ScriptRig rig;
  FakeClock clock;
  rig.set_time(clock.wall());
  Charge charge = test::recipient_charge("joe", "", "a@x", 0, &kNone);
  charge.signs = &signs;
  for (const int hours : {2, 3}) {
    CHECK(rig.charge({charge}, ChargeMode::merge, clock.wall() - hours * kHour).at(0).passed);
  }
  CHECK(rig.charge({charge}).at(0).passed);
  CHECK(to_text(rig.used("joe", clock.wall())) == "distinct_recipients/1d: 1; distinct_recipients/1h: 1; ");
}

TEST_CASE("sign script: an element takes at most 64 octets") {
  struct Case {
    int elements;
    int64_t octets;  // of each, the keys' own and those of the counters included
  };
  for (const Case& c : {Case{500, 64}, Case{100'000, 64}}) {
    ScriptRig rig;
    FakeClock clock;
    rig.set_time(clock.wall());
    const Limits signs{{Meter::distinct_recipients, 100'000, kHour}};
    std::vector<std::string> names;
    for (int i = 0; i < c.elements; ++i) names.push_back("recipient" + std::to_string(i) + "@example.com");
    std::vector<Charge> batch;
    for (const std::string& name : names) {
      batch.push_back(test::recipient_charge("joe", "", name, 0, &kNone));
      batch.back().signs = &signs;
      if (batch.size() < 128 && &name != &names.back()) continue;
      rig.charge(batch);
      batch.clear();
    }
    CHECK(to_text(rig.used("joe", clock.wall())) == "distinct_recipients/1h: " + std::to_string(c.elements) + "; ");
    const int64_t octets = rig.ask({"MEMORY", "USAGE", rig.keys().seen("joe"), "SAMPLES", "0"}).integer +
                           rig.ask({"MEMORY", "USAGE", rig.keys().rate("joe")}).integer;
    MESSAGE(c.elements << " elements: " << octets / c.elements << " octets each");
    CHECK(octets <= c.octets * c.elements);
  }
}

}  // namespace
}  // namespace policyd
