// The charge script against the ledger, which has the same rules, on a clock that the test turns: what both answer,
// and what both then hold to be used, now and later.
#include <algorithm>
#include <cmath>
#include <cstdint>
#include <map>
#include <random>
#include <string>
#include <vector>

#include "policyd/store/ledger.h"
#include "policyd/store/packed_numbers.h"
#include "tests/contract/script_rig.h"
#include "tests/support/charges.h"
#include "tests/support/fake_clock.h"

namespace policyd {
namespace {

using test::FakeClock;
using test::describe;
using test::ScriptRig;
using test::to_map;
using test::to_text;
using test::Used;

constexpr Milliseconds kMinute{60'000};
constexpr Milliseconds kHour{3'600'000};

const Limits kLimits{{Meter::messages, 40, kMinute},  {Meter::messages, 300, kHour}, {Meter::recipients, 90, kMinute},
                     {Meter::bytes, 9'000, kMinute}, {Meter::recipients, 150, Milliseconds{7'001}}};
// As if an operator had changed them, or another node's file were different.
const Limits kOthers{{Meter::messages, 30, kMinute}, {Meter::messages, 35, 2 * kMinute}};

// Random charges of a few accounts and messages, so that they meet.
class Charges {
 public:
  explicit Charges(uint64_t seed) : random_(seed) {}

  Charge next(const Limits& limits) {
    static const std::vector<std::string> kAccounts{"joe", "ann", "eve"};
    static const std::vector<std::string> kRecipients{"a@x", "b@x", "c@x"};
    Charge charge;
    charge.account = kAccounts[below(kAccounts.size())];
    charge.instance = instances_[below(instances_.size())];
    charge.limits = &limits;
    charge.bytes = static_cast<int64_t>(below(5) == 0 ? below(12'000) : below(300));
    charge.dry_run = below(8) == 0;
    if (below(3) == 0) {
      charge.kind = Charge::Kind::settle;
      charge.recipients = static_cast<int64_t>(below(6));
      charge.ended = below(2) == 0;
      if (below(5) == 0 && !charge.dry_run) charge.kind = Charge::Kind::give_back;
    } else {
      charge.recipient = kRecipients[below(kRecipients.size())];
    }
    return charge;
  }
  size_t below(size_t bound) { return random_() % bound; }

  // A message that was refused at its end does not come again.
  void forget(std::string_view instance) {
    const auto found = std::find(instances_.begin(), instances_.end(), instance);
    if (found != instances_.end() && !found->empty()) *found = used_.emplace_back(std::to_string(used_.size()) + "th");
  }

 private:
  std::vector<std::string> instances_{"", "1", "2", "3", "4", "5", "6", "7", "8", "9"};
  std::vector<std::string> used_;
  std::mt19937_64 random_;
};

void compare(ScriptRig& rig, const Ledger& ledger, WallTime now) {
  for (const char* account : {"joe", "ann", "eve"}) {
    CAPTURE(account);
    for (const Milliseconds later : {Milliseconds{0}, Milliseconds{1'700}, kMinute / 2, kMinute, 2 * kMinute, kHour}) {
      CAPTURE(later.count());
      REQUIRE(to_text(rig.used(account, now + later)) == to_text(ledger.usage(account, now + later).usage));
    }
  }
}

TEST_CASE("charge script: it answers and counts as the ledger does") {
  for (const uint64_t seed : {1, 2, 3, 4, 5, 6}) {
    CAPTURE(seed);
    const bool limits_change = seed % 3 == 0;
    ScriptRig rig;
    Ledger ledger(seed);
    Charges charges(seed);
    FakeClock clock;
    for (int run = 0; run < 1'000; ++run) {
      CAPTURE(run);
      clock.advance(Milliseconds(static_cast<int64_t>(charges.below(charges.below(20) == 0 ? 20'000 : 300))));
      // A clock set back by a little, and by more than a window.
      if (!limits_change && charges.below(200) == 0) {
        clock.set_wall(clock.wall() - Milliseconds(static_cast<int64_t>(charges.below(90'000))));
      }
      rig.set_time(clock.wall());
      std::vector<Charge> batch;
      for (size_t i = 0; i <= charges.below(6); ++i) {
        batch.push_back(charges.next(limits_change && charges.below(4) == 0 ? kOthers : kLimits));
      }
      const auto results = rig.charge(batch);
      for (size_t i = 0; i < batch.size(); ++i) {
        CAPTURE(i);
        REQUIRE(describe(results[i]) == describe(ledger.charge(batch[i], *batch[i].limits, clock.wall())));
      }
      for (size_t i = 0; i < batch.size(); ++i) {
        if (!results[i].passed && batch[i].kind == Charge::Kind::settle) charges.forget(batch[i].instance);
        if (batch[i].kind == Charge::Kind::give_back) charges.forget(batch[i].instance);
      }
      if (run % 8 == 0) compare(rig, ledger, clock.wall());
    }
  }
}

Charge message(std::string_view instance, const Limits& limits) {
  return test::recipient_charge("joe", instance, "a@x", 0, &limits);
}

TEST_CASE("charge script: a busy account costs the same with 61 buckets as with one") {
  const Limits limits{{Meter::messages, 10'000, kMinute}, {Meter::recipients, 10'000, kHour}};
  ScriptRig rig;
  FakeClock clock;
  Ledger ledger(1);
  for (int second = 0; second < 200; ++second) {
    CAPTURE(second);
    rig.set_time(clock.wall());
    std::string before;
    for (int i = 0; i < 3; ++i) {
      const Charge charge = message("", limits);
      CHECK(rig.charge({charge}).at(0).passed);
      CHECK(ledger.charge(charge, limits, clock.wall()).passed);
      const std::string state = rig.state("joe");
      // Only totals change within a bucket: the state is not made anew, and its age is kept.
      if (i > 0) CHECK(state.size() == before.size());
      if (i > 0) CHECK(state.substr(64) == before.substr(64));
      before = state;
    }
    REQUIRE(to_map(rig.used("joe", clock.wall())) == to_map(ledger.usage("joe", clock.wall()).usage));
    CHECK(before.size() <= 168 + 16 * 122);
    // It outlives what was counted last by the longest window, and by no more than a fiftieth of it.
    CHECK(rig.ttl("joe") > 61 * kHour.count() / 60 - 20'000);
    CHECK(rig.ttl("joe") <= kHour.count() * 102 / 100 + 1);
    clock.advance(Milliseconds{1'000});
  }
}

TEST_CASE("charge script: what is merged counts when it happened") {
  const Limits limits{{Meter::messages, 5, kMinute}, {Meter::messages, 5, kHour}};
  ScriptRig rig;
  FakeClock clock;
  rig.set_time(clock.wall());
  CHECK(rig.charge({message("1", limits)}).at(0).passed);
  rig.charge({message("2", limits), message("2", limits)}, ChargeMode::merge, clock.wall() - kMinute / 2);
  rig.charge({message("3", limits)}, ChargeMode::merge, clock.wall() - 2 * kMinute);
  CHECK(to_map(rig.used("joe", clock.wall())) == Used{{"messages/1m", 2}, {"messages/1h", 3}});
  CHECK(to_map(rig.used("joe", clock.wall() + Milliseconds{40'000})) == Used{{"messages/1m", 1}, {"messages/1h", 3}});
  Charge refused = message("2", limits);
  refused.kind = Charge::Kind::give_back;
  CHECK(rig.charge({refused}).at(0).passed);
  CHECK(to_map(rig.used("joe", clock.wall())) == Used{{"messages/1m", 1}, {"messages/1h", 2}});
  // Past every limit: what was let through is not refused afterwards.
  for (const char* instance : {"4", "5", "6", "7", "8"}) {
    rig.charge({message(instance, limits)}, ChargeMode::merge, clock.wall());
  }
  CHECK(to_map(rig.used("joe", clock.wall())) == Used{{"messages/1m", 6}, {"messages/1h", 7}});
}

TEST_CASE("charge script: what is merged only where it is known counts nothing else, and brings that up to date") {
  const Limits limits{{Meter::messages, 5, kMinute}, {Meter::recipients, 9, kMinute}};
  ScriptRig rig;
  const FakeClock clock;
  rig.set_time(clock.wall());
  Charge end = message("1", limits);
  end.kind = Charge::Kind::settle;
  end.recipients = 3;
  end.ended = true;
  rig.charge({end, message("", limits), message("2", limits)}, ChargeMode::merge_known, clock.wall());
  CHECK(to_map(rig.used("joe", clock.wall())).empty());
  CHECK(rig.charge({message("1", limits)}).at(0).passed);
  rig.charge({end, message("", limits), message("2", limits)}, ChargeMode::merge_known, clock.wall());
  CHECK(to_map(rig.used("joe", clock.wall())) == Used{{"messages/1m", 1}, {"recipients/1m", 3}});
}

TEST_CASE("charge script: a message is remembered for as long as is said") {
  const Limits limits{{Meter::messages, 5, kMinute}};
  ScriptRig rig;
  rig.set_time(FakeClock().wall());
  std::string key;
  rig.keys().append_message(key, "joe", "1");
  const auto left = [&] { return Milliseconds(rig.ask({"PTTL", key}).integer); };
  Charge end = message("1", limits);
  end.kind = Charge::Kind::settle;
  end.ended = true;
  for (int time = 0; time < 2; ++time) {
    CHECK(rig.charge({message("1", limits)}).at(0).passed);
    CHECK(left() <= kRemembered);
    CHECK(left() > kRemembered - kMinute);
    CHECK(rig.charge({end}).at(0).passed);
    CHECK(left() <= kEndedRemembered);
    CHECK(left() > kEndedRemembered - kMinute);
  }
}

TEST_CASE("charge script: records that are cut short are refused") {
  const Limits limits{{Meter::messages, 5, kMinute}};
  ScriptRig rig;
  rig.set_time(FakeClock().wall());
  std::string list;
  append_limits(list, limits, {});
  const std::string record = "\1\1" + std::string(16, '\0');
  for (size_t size = 1; size < 2 * record.size(); ++size) {
    if (size == record.size()) continue;
    CAPTURE(size);
    const RedisReply reply =
        rig.ask({"EVALSHA", rig.sha(), "1", rig.keys().rate("joe"), (record + record).substr(0, size), "", "", list});
    CHECK(reply.is_error());
    CHECK(reply.text.starts_with("ERR a record of charges is cut short"));
  }
  // Neither keys nor a list of limits: what cannot be counted is told, and the next is tried.
  const RedisReply reply = rig.ask({"EVALSHA", rig.sha(), "0", record + record, "", ""});
  REQUIRE(reply.elements.size() == 3);
  CHECK(reply.elements[0].text == "!!");
}

TEST_CASE("charge script: what is none of its own is taken for nothing, and costs no other charge anything") {
  const Limits limits{{Meter::messages, 2, kMinute}, {Meter::bytes, 99, kHour}};
  ScriptRig rig;
  const FakeClock clock;
  rig.set_time(clock.wall());
  Charge ann = message("9", limits);
  ann.account = "ann";
  CHECK(rig.charge({message("1", limits)}).at(0).passed);
  const std::string sound = rig.state("joe");
  std::vector<std::string> odd{"",
                               "x",
                               "policyd\5",
                               std::string(7, 'x'),
                               std::string(400, '\xff'),
                               std::string(400, '\0'),
                               sound.substr(0, sound.size() - 8),
                               sound + "12345678",
                               sound + "1"};
  for (size_t at = 0; at < sound.size(); at += 8) odd.push_back(std::string(sound).replace(at, 8, 8, '\xff'));
  std::string old;  // a counter as it was kept before: meter, window, total, one bucket
  for (const double number : {1.0, 60'000.0, 2.0, 1.0, 29'920'920'000.0, 2.0}) append_number(old, number);
  odd.push_back(old);
  for (const std::string& state : odd) {
    CAPTURE(state.size());
    rig.ask({"SET", rig.keys().rate("joe"), state});
    // Where the damage shows only when a limit is reached, what was counted before is lost; never more than that.
    std::vector<Charge> batch(7, message("", limits));
    batch[1] = batch[3] = ann;
    const auto results = rig.charge(batch);
    CHECK(results[1].passed);
    CHECK(results[3].passed);
    CHECK(results[0].passed);
    CHECK_FALSE(results[6].passed);
    CHECK(to_map(rig.used("joe", clock.wall())) == Used{{"messages/1m", 2}});
    rig.ask({"DEL", rig.keys().rate("joe")});
  }
  CHECK(to_map(rig.used("ann", clock.wall())) == Used{{"messages/1m", 1}});
  for (const char* command : {"RPUSH", "SADD"}) {
    for (const bool of_message : {false, true}) {
      std::string key = of_message ? std::string() : rig.keys().rate("joe");
      if (of_message) rig.keys().append_message(key, "joe", "5");
      rig.ask({"DEL", key});
      rig.ask({command, key, "x"});
      const auto results = rig.charge({ann, message("5", limits), ann});
      for (const ChargeResult& result : results) CHECK(result.passed);
      rig.ask({"DEL", rig.keys().rate("joe")});
    }
  }
}

TEST_CASE("charge script: what cannot be what a message was charged is taken for nothing") {
  const Limits limits{{Meter::messages, 5, kMinute}, {Meter::recipients, 3, kHour}};
  const std::vector<std::vector<double>> damaged{{1, -1e9, -1e9}, {1, 1e18, 0}, {std::nan(""), 1, 1}, {1, 1, 1e300}};
  for (const std::vector<double>& numbers : damaged) {
    ScriptRig rig;
    const FakeClock clock;
    rig.set_time(clock.wall());
    std::string key, state;
    rig.keys().append_message(key, "joe", "1");
    for (const double number : numbers) append_number(state, number);
    rig.ask({"SET", key, state});
    CHECK(rig.charge({message("1", limits)}).at(0).passed);
    CHECK(to_map(rig.used("joe", clock.wall())) == Used{{"messages/1m", 1}, {"recipients/1h", 1}});
  }
}

}  // namespace
}  // namespace policyd
