// Locks of accounts, on every store: made once, ended once, counted, lifted, remembered.
#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "tests/contract/store_rig.h"
#include "tests/support/lock_requests.h"

namespace policyd {
namespace {

using test::lock_by_hand;
using test::lock_for_a_sign;
using test::on_every_store;
using test::StoreRig;

const std::string kJoe = "joe@example.com";
constexpr Milliseconds kOver = std::chrono::seconds(3612);  // than which no lock for an hour lasts longer

LockOutcome lock(StoreRig& rig, const LockRequest& request) {
  const auto outcome = rig.run(rig.store->lock(request));
  if (!outcome) FAIL(outcome.error().message);
  return *outcome;
}

std::optional<Lock> unlock(StoreRig& rig, const std::string& account) {
  const auto lifted = rig.run(rig.store->unlock(account, "ann"));
  if (!lifted) FAIL(lifted.error().message);
  return *lifted;
}

std::vector<Lock> end(StoreRig& rig) {
  const auto ended = rig.run(rig.store->end_locks());
  if (!ended) FAIL(ended.error().message);
  return *ended;
}

// "lifted distinct_recipients ann, locked distinct_recipients policyd": the newest first.
std::string history(StoreRig& rig, const std::string& account) {
  const auto events = rig.run(rig.store->lock_history(account));
  if (!events) FAIL(events.error().message);
  std::string all;
  for (const LockEvent& event : *events) {
    if (!all.empty()) all += ", ";
    all.append(lock_event_name(event.kind)).append(" ").append(event.lock.reason);
    if (!event.by.empty()) all.append(" ").append(event.by);
  }
  return all;
}

// Its time is over: it is in force no more.
void let_run_out(StoreRig& rig, const std::string& account) {
  rig.age_lock(account, kOver);
  rig.loop.turn_until([&] { return rig.mirror.lock(account) == nullptr; });
}

TEST_CASE("store: a lock is in force at once, stays as it is, and is lifted") {
  on_every_store([](StoreRig& rig) {
    const LockOutcome first = lock(rig, lock_for_a_sign(kJoe));
    CHECK(first.made);
    CHECK(first.lock.account == kJoe);
    CHECK(first.lock.reason == "distinct_recipients");
    CHECK(first.lock.evidence == "distinct_recipients 501 in 1d, limit 500/1d");
    CHECK(first.lock.by == "policyd");
    CHECK(first.lock.node == "mx1");
    CHECK(first.lock.unlocks == 0);
    REQUIRE(first.lock.since);
    REQUIRE(first.lock.until);
    // A store with a clock of its own tells the time that is left by that.
    CHECK(*first.lock.until > *first.lock.since + std::chrono::minutes(50));
    CHECK(*first.lock.until < *first.lock.since + std::chrono::minutes(70));
    REQUIRE(rig.mirror.lock(kJoe) != nullptr);
    CHECK(rig.mirror.lock(kJoe)->reason == "distinct_recipients");
    CHECK(rig.mirror.lock("ann@example.com") == nullptr);
    CHECK(rig.mirror.lock_count() == 1);

    const LockOutcome second = lock(rig, lock_by_hand(kJoe));
    CHECK_FALSE(second.made);
    CHECK(second.lock.reason == "distinct_recipients");
    CHECK(end(rig).empty());

    const auto lifted = unlock(rig, kJoe);
    REQUIRE(lifted);
    CHECK(lifted->reason == "distinct_recipients");
    CHECK(rig.mirror.lock(kJoe) == nullptr);
    CHECK(!unlock(rig, kJoe));
    CHECK(history(rig, kJoe) == "lifted distinct_recipients ann, locked distinct_recipients policyd");
    CHECK(history(rig, "ann@example.com").empty());
  });
}

TEST_CASE("store: locks end by themselves so often, each is told once, and the next one has no end") {
  on_every_store([](StoreRig& rig) {
    for (int unlocks = 0; unlocks < 2; ++unlocks) {
      const LockOutcome outcome = lock(rig, lock_for_a_sign(kJoe));
      CHECK(outcome.lock.unlocks == unlocks);
      CHECK(outcome.lock.until.has_value());
      let_run_out(rig, kJoe);
      const auto ended = end(rig);
      REQUIRE(ended.size() == 1);
      CHECK(ended[0].account == kJoe);
      CHECK(ended[0].unlocks == unlocks);
      CHECK(end(rig).empty());
    }
    const LockOutcome last = lock(rig, lock_for_a_sign(kJoe));
    CHECK(last.made);
    CHECK(last.lock.unlocks == 2);
    CHECK_FALSE(last.lock.until.has_value());
    CHECK(rig.mirror.lock(kJoe) != nullptr);
    CHECK(end(rig).empty());
    CHECK(unlock(rig, kJoe));
    CHECK(lock(rig, lock_for_a_sign(kJoe)).lock.unlocks == 0);
    const std::string locked = "locked distinct_recipients policyd", ended = "ended distinct_recipients";
    CHECK(history(rig, kJoe) == locked + ", lifted distinct_recipients ann, " + locked + ", " + ended + ", " + locked +
                                    ", " + ended + ", " + locked);
  });
}

TEST_CASE("store: a lock whose time is over makes way for the next, and is told as ended") {
  on_every_store([](StoreRig& rig) {
    lock(rig, lock_for_a_sign(kJoe));
    let_run_out(rig, kJoe);
    const LockOutcome next = lock(rig, lock_for_a_sign(kJoe, "spam"));
    CHECK(next.made);
    CHECK(next.lock.unlocks == 1);
    REQUIRE(rig.mirror.lock(kJoe) != nullptr);
    CHECK(rig.mirror.lock(kJoe)->reason == "spam");
    const auto ended = end(rig);
    REQUIRE(ended.size() == 1);
    CHECK(ended[0].reason == "distinct_recipients");
    CHECK(end(rig).empty());
  });
}

TEST_CASE("store: a lock whose time is over is no more there to be lifted, but is told as ended") {
  on_every_store([](StoreRig& rig) {
    lock(rig, lock_for_a_sign(kJoe));
    let_run_out(rig, kJoe);
    CHECK(!unlock(rig, kJoe));
    CHECK(end(rig).size() == 1);
    CHECK(lock(rig, lock_for_a_sign(kJoe)).lock.unlocks == 0);
  });
}

TEST_CASE("store: a lock is replaced where that is asked for") {
  on_every_store([](StoreRig& rig) {
    lock(rig, lock_for_a_sign(kJoe));
    LockRequest request = lock_by_hand(kJoe);
    request.replace = true;
    const LockOutcome outcome = lock(rig, request);
    CHECK(outcome.made);
    CHECK(outcome.lock.evidence.empty());
    CHECK_FALSE(outcome.lock.until.has_value());
    CHECK(rig.mirror.lock(kJoe)->reason == "phished");
    CHECK(rig.mirror.lock_count() == 1);
    let_run_out(rig, "nobody");
    CHECK(rig.mirror.lock(kJoe) != nullptr);
  });
}

TEST_CASE("store: any account can be locked, however it is written") {
  on_every_store([](StoreRig& rig) {
    for (const std::string account : {"joe", "192.0.2.1", "2001:db8::/64", "a{b}c:d e=f\n\xc3\xa4"}) {
      CAPTURE(account);
      CHECK(lock(rig, lock_for_a_sign(account)).lock.account == account);
      REQUIRE(rig.mirror.lock(account) != nullptr);
      CHECK(unlock(rig, account));
      CHECK(rig.mirror.lock(account) == nullptr);
      CHECK(history(rig, account) == "lifted distinct_recipients ann, locked distinct_recipients policyd");
    }
  });
}

TEST_CASE("store: of a history the newest events are kept") {
  on_every_store([](StoreRig& rig) {
    for (size_t i = 0; i < kLockEvents / 2 + 3; ++i) {
      lock(rig, lock_by_hand(kJoe, std::to_string(i)));
      unlock(rig, kJoe);
    }
    const auto events = rig.run(rig.store->lock_history(kJoe));
    REQUIRE(events.ok());
    REQUIRE(events->size() == kLockEvents);
    CHECK(events->front().lock.reason == std::to_string(kLockEvents / 2 + 2));
    CHECK(events->back().lock.reason == "3");
  });
}

TEST_CASE("store: locks, their count and their history outlive the store, where it is durable") {
  on_every_store([](StoreRig& rig) {
    lock(rig, lock_by_hand("ann"));
    lock(rig, lock_for_a_sign("bob"));
    unlock(rig, "bob");
    lock(rig, lock_for_a_sign(kJoe));
    let_run_out(rig, kJoe);
    REQUIRE(end(rig).size() == 1);
    rig.restart();
    CHECK(rig.mirror.lock("bob") == nullptr);
    if (!rig.kind.durable) {
      CHECK(rig.mirror.lock_count() == 0);
      CHECK(history(rig, kJoe).empty());
      return;
    }
    CHECK(rig.mirror.lock_count() == 1);
    REQUIRE(rig.mirror.lock("ann") != nullptr);
    CHECK(rig.mirror.lock("ann")->reason == "phished");
    CHECK(history(rig, "bob") == "lifted distinct_recipients ann, locked distinct_recipients policyd");
    CHECK(history(rig, kJoe) == "ended distinct_recipients, locked distinct_recipients policyd");
    CHECK(lock(rig, lock_for_a_sign(kJoe)).lock.unlocks == 1);
  });
}

TEST_CASE("store: a lock that runs out while nobody is there ends afterwards, where the store is durable") {
  on_every_store([](StoreRig& rig) {
    if (!rig.kind.durable) return;
    lock(rig, lock_for_a_sign(kJoe));
    rig.age_lock(kJoe, kOver);
    rig.restart();
    CHECK(rig.mirror.lock(kJoe) == nullptr);
    CHECK(end(rig).size() == 1);
    CHECK(lock(rig, lock_for_a_sign(kJoe)).lock.unlocks == 1);
  });
}

}  // namespace
}  // namespace policyd
