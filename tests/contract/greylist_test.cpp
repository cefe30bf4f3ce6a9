// The contract of greylisting: who waits, how long, and who does not wait again.
//
// The fake clock stands still but for pass_time(), Redis' own does not: a wait there may be some seconds shorter on a
// slow machine.
#include "policyd/async/gather.h"
#include "tests/contract/store_rig.h"
#include "tests/support/greylist_attempt.h"

namespace policyd {
namespace {

using Outcome = GreylistResult::Outcome;
using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;
using test::on_every_store;
using test::StoreRig;

constexpr hours kDay{24};

GreylistAttempt from(std::string_view sender, std::string_view client = "192.0.2.0/24",
                     std::string_view instance = "") {
  GreylistAttempt attempt = test::greylist_attempt();
  attempt.client = client;
  attempt.sender = sender;
  attempt.instance = instance;
  attempt.auto_allow = 0;
  return attempt;
}

GreylistResult ask(StoreRig& rig, const GreylistAttempt& attempt) { return rig.run(rig.store->greylist(attempt)); }
Outcome outcome(StoreRig& rig, const GreylistAttempt& attempt) { return ask(rig, attempt).outcome; }

bool about(Milliseconds wait, Milliseconds expected) { return wait <= expected && wait > expected - seconds(20); }

TEST_CASE("store: a first attempt waits, an early one is told what is left, the next after that passes") {
  on_every_store([](StoreRig& rig) {
    const GreylistAttempt attempt = from("ann@example.org");
    const GreylistResult first = ask(rig, attempt);
    CHECK(first.outcome == Outcome::first);
    CHECK(first.wait == minutes(4));
    rig.pass_time(minutes(1));
    const GreylistResult early = ask(rig, attempt);
    CHECK(early.outcome == Outcome::early);
    CHECK(about(early.wait, minutes(3)));
    rig.pass_time(minutes(2));
    CHECK(about(ask(rig, attempt).wait, minutes(1)));  // the timer has not moved
    rig.pass_time(minutes(1));
    const GreylistResult passed = ask(rig, attempt);
    CHECK(passed.outcome == Outcome::passed);
    CHECK(passed.wait == Milliseconds{0});
    CHECK(outcome(rig, attempt) == Outcome::known);
  });
}

TEST_CASE("store: who comes back too late begins anew") {
  on_every_store([](StoreRig& rig) {
    const GreylistAttempt attempt = from("ann@example.org");
    CHECK(outcome(rig, attempt) == Outcome::first);
    rig.pass_time(minutes(350));
    CHECK(outcome(rig, attempt) == Outcome::passed);
    const GreylistAttempt late = from("eve@example.org");
    CHECK(outcome(rig, late) == Outcome::first);
    rig.pass_time(minutes(361));
    const GreylistResult again = ask(rig, late);
    CHECK(again.outcome == Outcome::first);
    CHECK(again.wait == minutes(4));
  });
}

TEST_CASE("store: who passed does not wait for as long as the record lives, from the last mail on") {
  on_every_store([](StoreRig& rig) {
    const GreylistAttempt attempt = from("ann@example.org");
    CHECK(outcome(rig, attempt) == Outcome::first);
    rig.pass_time(minutes(5));
    CHECK(outcome(rig, attempt) == Outcome::passed);
    for (int month = 0; month < 3; ++month) {
      rig.pass_time(30 * kDay);
      CHECK(outcome(rig, attempt) == Outcome::known);
    }
    rig.pass_time(36 * kDay + minutes(1));
    CHECK(outcome(rig, attempt) == Outcome::first);
  });
}

TEST_CASE("store: client, sender and recipient all belong to an attempt") {
  on_every_store([](StoreRig& rig) {
    const GreylistAttempt attempt = from("ann@example.org");
    CHECK(outcome(rig, attempt) == Outcome::first);
    CHECK(outcome(rig, from("eve@example.org")) == Outcome::first);
    CHECK(outcome(rig, from("ann@example.org", "198.51.100.0/24")) == Outcome::first);
    GreylistAttempt other = attempt;
    other.recipient = "ann@example.com";
    CHECK(outcome(rig, other) == Outcome::first);
    CHECK(outcome(rig, attempt) == Outcome::early);
    for (const char* odd : {"", "j\xc3\xb6rg@x", "a:b@x", "a{b}@x", "%", "a'b\"@x"}) {
      CAPTURE(odd);
      CHECK(outcome(rig, from(odd)) == Outcome::first);
      CHECK(outcome(rig, from(odd)) == Outcome::early);
    }
  });
}

TEST_CASE("store: shorter times hold for what was remembered before") {
  on_every_store([](StoreRig& rig) {
    GreylistAttempt attempt = from("ann@example.org");
    CHECK(outcome(rig, attempt) == Outcome::first);
    rig.pass_time(minutes(2));
    attempt.block = minutes(1);
    CHECK(outcome(rig, attempt) == Outcome::passed);
    rig.pass_time(2 * kDay);
    attempt.record = kDay;
    CHECK(outcome(rig, attempt) == Outcome::first);
    rig.pass_time(minutes(10));
    attempt.pass = minutes(5);
    CHECK(outcome(rig, attempt) == Outcome::first);
  });
}

TEST_CASE("store: the same message that asks again is told so") {
  on_every_store([](StoreRig& rig) {
    CHECK_FALSE(ask(rig, from("ann@example.org", "192.0.2.0/24", "i1")).repeated);
    CHECK(ask(rig, from("ann@example.org", "192.0.2.0/24", "i1")).repeated);
    CHECK_FALSE(ask(rig, from("ann@example.org", "192.0.2.0/24", "i2")).repeated);
    CHECK(ask(rig, from("ann@example.org", "192.0.2.0/24", "i2")).repeated);
    CHECK_FALSE(ask(rig, from("ann@example.org")).repeated);
    CHECK_FALSE(ask(rig, from("ann@example.org")).repeated);
  });
}

TEST_CASE("store: a client of which enough messages have passed is let through, until none has come for long") {
  on_every_store([](StoreRig& rig) {
    const auto attempt_of = [](const std::string& sender, const std::string& instance,
                               std::string_view client = "example.org") {
      GreylistAttempt attempt = from(sender, client, instance);
      attempt.auto_allow = 2;
      return attempt;
    };
    const std::vector<std::string> senders{"a@x", "b@x", "c@x"};
    for (const std::string& sender : senders) CHECK(outcome(rig, attempt_of(sender, "try 1")) == Outcome::first);
    rig.pass_time(minutes(5));
    CHECK(outcome(rig, attempt_of(senders[0], "try 2")) == Outcome::passed);
    CHECK(outcome(rig, attempt_of(senders[1], "try 2")) == Outcome::passed);  // of the same message
    CHECK(outcome(rig, attempt_of("d@x", "1")) == Outcome::first);
    CHECK(outcome(rig, attempt_of(senders[2], "try 3")) == Outcome::passed);
    CHECK(outcome(rig, attempt_of("d@x", "2")) == Outcome::allowed);
    CHECK(outcome(rig, attempt_of("d@x", "2", "example.net")) == Outcome::first);
    CHECK(outcome(rig, from("d@x", "example.org")) == Outcome::early);  // with auto_allow = 0

    rig.pass_time(30 * kDay);
    CHECK(outcome(rig, attempt_of("e@x", "4")) == Outcome::allowed);
    rig.pass_time(30 * kDay);
    CHECK(outcome(rig, attempt_of("f@x", "5")) == Outcome::allowed);
    // Mail of those who are known keeps the client known too.
    rig.pass_time(20 * kDay);
    CHECK(outcome(rig, attempt_of("d@x", "6")) == Outcome::allowed);
    rig.pass_time(17 * kDay);
    CHECK(outcome(rig, attempt_of("e@x", "7")) == Outcome::allowed);
    rig.pass_time(37 * kDay);
    CHECK(outcome(rig, attempt_of("f@x", "8")) == Outcome::first);
  });
}

TEST_CASE("store: a dry run says what would happen and changes nothing") {
  on_every_store([](StoreRig& rig) {
    GreylistAttempt dry = from("ann@example.org");
    dry.dry_run = true;
    CHECK(outcome(rig, dry) == Outcome::first);
    CHECK(outcome(rig, dry) == Outcome::first);
    CHECK(outcome(rig, from("ann@example.org")) == Outcome::first);
    CHECK(outcome(rig, dry) == Outcome::early);
    rig.pass_time(minutes(5));
    CHECK(outcome(rig, dry) == Outcome::passed);
    CHECK(outcome(rig, dry) == Outcome::passed);
    CHECK(outcome(rig, from("ann@example.org")) == Outcome::passed);
    rig.pass_time(30 * kDay);
    CHECK(outcome(rig, dry) == Outcome::known);
    rig.pass_time(7 * kDay);
    CHECK(outcome(rig, dry) == Outcome::first);
  });
}

TEST_CASE("store: of the first attempts made side by side one is the first") {
  on_every_store([](StoreRig& rig) {
    const GreylistAttempt attempt = from("ann@example.org");
    std::vector<Task<GreylistResult>> tasks;
    for (int i = 0; i < 20; ++i) tasks.push_back(rig.store->greylist(attempt));
    int first = 0, early = 0;
    for (const auto& result : rig.run(gather(rig.loop, std::move(tasks), Milliseconds{20'000}))) {
      REQUIRE(result.has_value());
      first += result->outcome == Outcome::first;
      early += result->outcome == Outcome::early;
    }
    CHECK(first == 1);
    CHECK(early == 19);
  });
}

TEST_CASE("store: the greylist outlives the store, where it is durable") {
  on_every_store([](StoreRig& rig) {
    GreylistAttempt passed = from("ann@example.org"), allowed = from("eve@example.org");
    passed.auto_allow = allowed.auto_allow = 1;
    CHECK(outcome(rig, passed) == Outcome::first);
    rig.restart();
    rig.pass_time(minutes(5));
    const bool durable = rig.kind.durable;
    CHECK(outcome(rig, passed) == (durable ? Outcome::passed : Outcome::first));
    rig.restart();
    CHECK(outcome(rig, passed) == (durable ? Outcome::known : Outcome::first));
    CHECK(outcome(rig, allowed) == (durable ? Outcome::allowed : Outcome::first));
  });
}

}  // namespace
}  // namespace policyd
