// How long locks last, what is counted of them, and what is remembered.
#include "policyd/locks/lock_rules.h"

#include <doctest/doctest.h>

#include <string>

#include "tests/support/fake_clock.h"
#include "tests/support/lock_requests.h"

namespace policyd {
namespace {

using test::lock_by_hand;
using test::lock_for_a_sign;
using Kind = LockEvent::Kind;

constexpr Milliseconds kHour = std::chrono::hours(1);

struct Rig {
  bool lock(const LockRequest& request) { return policyd::lock(record, request, now); }
  std::optional<Lock> end() { return end_lock(record, now); }
  // "locked lifted", the oldest first.
  [[nodiscard]] std::string history() const {
    std::string all;
    for (const LockEvent& event : record.events) {
      all.append(all.empty() ? "" : " ").append(lock_event_name(event.kind));
    }
    return all;
  }

  WallTime now = test::FakeClock::kStart;
  LockRecord record;
};

TEST_CASE("lock rules: a lock says all that was asked for, and lasts lock_time") {
  Rig rig;
  CHECK(rig.lock(lock_for_a_sign("joe")));
  REQUIRE(rig.record.lock);
  const Lock& lock = *rig.record.lock;
  CHECK(lock.account == "joe");
  CHECK(lock.reason == "distinct_recipients");
  CHECK(lock.evidence == "distinct_recipients 501 in 1d, limit 500/1d");
  CHECK(lock.since == rig.now);
  CHECK(lock.until == rig.now + kHour);
  CHECK(lock.unlocks == 0);
  CHECK(lock.by == "policyd");
  CHECK(lock.node == "mx1");
}

TEST_CASE("lock rules: the end is a whole second, never too early") {
  Rig rig;
  rig.now += Milliseconds(1);
  CHECK(rig.lock(lock_for_a_sign("joe")));
  CHECK(rig.record.lock->until == test::FakeClock::kStart + kHour + std::chrono::seconds(1));
}

TEST_CASE("lock rules: a lock in force stays, unless it is to be replaced") {
  Rig rig;
  CHECK(rig.lock(lock_for_a_sign("joe")));
  CHECK_FALSE(rig.lock(lock_by_hand("joe")));
  CHECK(rig.record.lock->reason == "distinct_recipients");
  LockRequest request = lock_by_hand("joe");
  request.replace = true;
  CHECK(rig.lock(request));
  CHECK(rig.record.lock->reason == "phished");
  CHECK(!rig.record.lock->until);
  CHECK(rig.history() == "locked locked");
}

TEST_CASE("lock rules: it ends when its time is over, not before, and once") {
  Rig rig;
  CHECK(!rig.end());
  CHECK(rig.lock(lock_for_a_sign("joe")));
  rig.now += kHour - Milliseconds(1);
  CHECK(!rig.end());
  rig.now += Milliseconds(1);
  const auto ended = rig.end();
  REQUIRE(ended);
  CHECK(ended->reason == "distinct_recipients");
  CHECK(!rig.record.lock);
  CHECK(rig.record.unlocks == 1);
  CHECK(!rig.end());
  CHECK(rig.history() == "locked ended");
}

TEST_CASE("lock rules: after max_unlocks ends the next lock has none, and a person begins anew") {
  Rig rig;
  for (int unlocks = 0; unlocks < 2; ++unlocks) {
    CHECK(rig.lock(lock_for_a_sign("joe")));
    CHECK(rig.record.lock->unlocks == unlocks);
    REQUIRE(rig.record.lock->until);
    rig.now = *rig.record.lock->until;
    CHECK(rig.end());
  }
  CHECK(rig.lock(lock_for_a_sign("joe")));
  CHECK(rig.record.lock->unlocks == 2);
  CHECK(!rig.record.lock->until);
  rig.now += 1000 * kHour;
  CHECK(!rig.end());
  const auto lifted = unlock(rig.record, "ann", rig.now);
  REQUIRE(lifted);
  CHECK(lifted->unlocks == 2);
  CHECK(rig.record.events.back().by == "ann");
  CHECK(!unlock(rig.record, "ann", rig.now));
  CHECK(rig.history() == "locked ended locked ended locked lifted");
  CHECK(rig.lock(lock_for_a_sign("joe")));
  CHECK(rig.record.lock->unlocks == 0);
  CHECK(rig.record.lock->until);
}

TEST_CASE("lock rules: with max_unlocks 0 the first lock has no end; a person's has the one asked for") {
  Rig rig;
  LockRequest request = lock_for_a_sign("joe");
  request.max_unlocks = 0;
  CHECK(rig.lock(request));
  CHECK(!rig.record.lock->until);
  request = lock_by_hand("joe");
  request.lock_time = kHour;
  request.replace = true;
  CHECK(rig.lock(request));
  CHECK(rig.record.lock->until == rig.now + kHour);
}

TEST_CASE("lock rules: ends are counted for 90 days after the last one, and history is kept as long") {
  Rig rig;
  CHECK(rig.lock(lock_for_a_sign("joe")));
  rig.now += kHour;
  CHECK(rig.end());
  rig.now += kLocksRemembered - Milliseconds(1);
  forget_old(rig.record, rig.now);
  CHECK(rig.record.unlocks == 1);
  CHECK(rig.history() == "ended");  // it was locked an hour before
  rig.now += Milliseconds(1);
  forget_old(rig.record, rig.now);
  CHECK(rig.record.empty());
}

TEST_CASE("lock rules: of the history the newest are kept") {
  Rig rig;
  for (size_t i = 0; i < kLockEvents; ++i) {
    CHECK(rig.lock(lock_by_hand("joe", std::to_string(i))));
    CHECK(unlock(rig.record, "ann", rig.now));
  }
  REQUIRE(rig.record.events.size() == kLockEvents);
  CHECK(rig.record.events.front().lock.reason == std::to_string(kLockEvents / 2));
  CHECK(rig.record.events.back().lock.reason == std::to_string(kLockEvents - 1));
}

}  // namespace
}  // namespace policyd
