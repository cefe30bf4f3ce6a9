// Locks as they stand in a store: every field, and what a hand can write wrong.
#include "shared/lock.h"

#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "shared/block.h"
#include "tests/support/fake_clock.h"

using namespace policyd;
using Fields = std::map<std::string, std::string>;

namespace {

constexpr WallTime kStart = test::FakeClock::kStart;

}  // namespace

TEST_CASE("lock: its fields are read back as they were written; empty ones are left out") {
  Lock lock;
  lock.account = "joe@example.com";
  lock.reason = "distinct_recipients";
  lock.evidence = "distinct_recipients 501 in 1d, limit 500/1d";
  lock.since = kStart;
  lock.until = kStart + std::chrono::hours(1);
  lock.unlocks = 2;
  lock.by = "policyd";
  lock.node = "mx1";
  CHECK(lock.fields() == Fields{{"reason", "distinct_recipients"},
                                {"evidence", "distinct_recipients 501 in 1d, limit 500/1d"},
                                {"since", "2026-11-21T10:00:00Z"},
                                {"until", "2026-11-21T11:00:00Z"},
                                {"unlocks", "2"},
                                {"by", "policyd"},
                                {"node", "mx1"}});
  std::string warning;
  CHECK(Lock::from_fields("joe@example.com", lock.fields(), &warning) == lock);
  CHECK(warning.empty());
  CHECK(Lock{}.fields().empty());
}

TEST_CASE("lock: its end is rounded up to a whole second, its beginning is not") {
  Lock lock;
  lock.since = lock.until = kStart + Milliseconds(1);
  CHECK(lock.fields() == Fields{{"since", "2026-11-21T10:00:00Z"}, {"until", "2026-11-21T10:00:01Z"}});
}

TEST_CASE("lock: a hash of a reason alone locks until it is lifted") {
  std::string warning;
  const Lock lock = Lock::from_fields("joe", {{"reason", "phished"}}, &warning);
  CHECK(warning.empty());
  CHECK(lock.reason == "phished");
  CHECK(!lock.until);
  CHECK(lock.in_force(kStart));
  CHECK(lock.in_force(WallTime::max()));
}

TEST_CASE("lock: it is in force until its end, and not at it") {
  Lock lock;
  lock.until = kStart;
  CHECK(lock.in_force(kStart - Milliseconds(1)));
  CHECK_FALSE(lock.in_force(kStart));
}

TEST_CASE("lock: what a hand wrote wrong is told, and lifts no lock") {
  struct Case {
    Fields fields;
    std::string want;
  };
  const std::string until = " is not a time such as 2026-11-21T10:00:00Z; it locks until it is lifted";
  const std::vector<Case> cases = {
      {{{"until", "tomorrow"}}, "until \"tomorrow\"" + until},
      {{{"until", "2026-11-21T10:00:00+01:00"}}, "until \"2026-11-21T10:00:00+01:00\"" + until},
      {{{"until", "2026-11-21T10:00:00.5Z"}}, "until \"2026-11-21T10:00:00.5Z\"" + until},
      {{{"since", "now"}}, "since \"now\" is not a time such as 2026-11-21T10:00:00Z; left out"},
      {{{"unlocks", "-1"}}, "unlocks \"-1\" is not a whole number; taken for 0"},
      {{{"unlocks", "two"}, {"until", "x"}},
       "until \"x\"" + until + "; unlocks \"two\" is not a whole number; taken for 0"},
      {{{"reason", std::string(1'001, 'x')}},
       "reason \"" + std::string(256, 'x') + "\"... is longer than 1000 octets and was cut"},
  };
  for (const Case& c : cases) {
    std::string warning;
    const Lock lock = Lock::from_fields("joe", c.fields, &warning);
    CHECK(warning == c.want);
    CHECK(lock.in_force(kStart));
    CHECK(lock.unlocks == 0);
    CHECK(Lock::from_fields("joe", c.fields, nullptr) == lock);
  }
}

TEST_CASE("lock: the names of what happens to one") {
  using Kind = LockEvent::Kind;
  for (const Kind kind : {Kind::locked, Kind::ended, Kind::lifted}) {
    CHECK(parse_lock_event(lock_event_name(kind)) == kind);
  }
  CHECK(lock_event_name(Kind::ended) == "ended");
  CHECK(!parse_lock_event("unlocked"));
}
