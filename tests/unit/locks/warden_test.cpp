// The warden on a store in the hands of the test: when it locks, what it tells, and that nobody waits for it.
#include "policyd/locks/warden.h"

#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "policyd/notify/event.h"
#include "tests/support/captured_log.h"
#include "tests/support/fake_clock.h"
#include "tests/support/fake_store.h"
#include "tests/support/lock_requests.h"
#include "tests/support/run_task.h"

namespace policyd {
namespace {

const Limit kSign{Meter::recipients, 500, std::chrono::days(1)};
constexpr std::string_view kEvidence = "recipients 501 in 1d, limit 500/1d";

class Sink final : public EventSink {
 public:
  void tell(Event event) override { told.push_back(std::move(event)); }
  std::vector<Event> told;
};

struct Rig {
  Rig() {
    policy.auto_lock = true;
    policy.lock_time = std::chrono::minutes(10);
    policy.max_unlocks = 5;
  }
  void notice(std::string_view account, int64_t used = 501) { warden.notice(account, kSign, used, policy); }
  [[nodiscard]] std::vector<std::string> texts() const {
    std::vector<std::string> all;
    for (const Event& event : sink.told) all.push_back(event.text);
    return all;
  }

  test::CapturedLog log;
  test::TestLoop loop;
  test::FakeClock clock;
  Mirror mirror{clock};
  test::FakeStore store;
  Sink sink;
  AccountPolicy policy;
  Warden warden{loop, store, mirror, &sink, "mx1"};
};

TEST_CASE("warden: a sign locks as the account's policy says, is logged in a line and told") {
  Rig rig;
  rig.notice("joe@example.com");
  REQUIRE(rig.store.locked.size() == 1);
  const LockRequest& request = rig.store.locked[0];
  CHECK(request.account == "joe@example.com");
  CHECK(request.reason == "recipients");
  CHECK(request.evidence == kEvidence);
  CHECK(request.by == "policyd");
  CHECK(request.node == "mx1");
  CHECK(request.lock_time == Milliseconds(std::chrono::minutes(10)));
  CHECK(request.max_unlocks == 5);
  CHECK(request.at_all_costs);
  CHECK_FALSE(request.replace);
  CHECK(rig.log.lines() ==
        std::vector<std::string>{"warning: lock: account=\"joe@example.com\" until 1970-01-01T00:10:00Z "
                                 "reason=\"recipients\" evidence=\"recipients 501 in 1d, limit 500/1d\" unlocks=0 "
                                 "by=\"policyd\""});
  REQUIRE(rig.sink.told.size() == 1);
  const Event& event = rig.sink.told[0];
  CHECK(event.kind == EventKind::lock);
  CHECK(event.account == "joe@example.com");
  CHECK(event.text == "joe@example.com is locked until 1970-01-01T00:10:00Z: " + std::string(kEvidence));
  CHECK(event.details["reason"] == "recipients");
  CHECK(event.details["until"] == "1970-01-01T00:10:00Z");
}

TEST_CASE("warden: the store is asked once while it is asked, and whoever found the sign does not wait") {
  Rig rig;
  rig.store.gate.close();
  rig.notice("joe@example.com");
  rig.notice("joe@example.com", 502);
  rig.notice("ann@example.com");
  CHECK(rig.store.locked.size() == 2);
  CHECK_FALSE(rig.warden.idle());
  CHECK(rig.sink.told.empty());
  rig.store.gate.open();
  CHECK(rig.warden.idle());
  CHECK(rig.sink.told.size() == 2);
  rig.notice("joe@example.com");  // the mirror does not know of a lock
  CHECK(rig.store.locked.size() == 3);
}

TEST_CASE("warden: not while a lock is in force, and not where auto_lock is off") {
  Rig rig;
  Lock lock;
  lock.account = "joe@example.com";
  lock.until = rig.clock.wall() + Milliseconds(1000);
  rig.mirror.put_lock(lock);
  rig.notice("joe@example.com");
  CHECK(rig.store.locked.empty());
  rig.clock.advance(Milliseconds(1000) + Mirror::kUntilEnded);
  rig.notice("joe@example.com");
  CHECK(rig.store.locked.size() == 1);
  rig.policy.auto_lock = false;
  rig.notice("ann@example.com");
  CHECK(rig.store.locked.size() == 1);
}

TEST_CASE("warden: a lock that was there is not told again") {
  Rig rig;
  rig.store.lock_made = false;
  rig.notice("joe@example.com");
  CHECK(rig.sink.told.empty());
  CHECK(rig.log.lines().empty());
}

TEST_CASE("warden: a lock that cannot be made is logged once, and tried again at the next sign") {
  Rig rig;
  rig.store.lock_trouble = "no more";
  rig.notice("joe@example.com");
  rig.notice("joe@example.com");
  CHECK(rig.store.locked.size() == 2);
  CHECK(rig.log.lines() == std::vector<std::string>{"error: lock: \"joe@example.com\" shows signs of a hijack and "
                                                    "cannot be locked: no more; further ones are not logged"});
  rig.store.lock_trouble.clear();
  rig.notice("joe@example.com");
  rig.store.lock_trouble = "no more";
  rig.notice("joe@example.com");
  CHECK(rig.log.lines().size() == 3);
  CHECK(rig.sink.told.size() == 1);
}

TEST_CASE("warden: each lock that has ended is told") {
  Rig rig;
  rig.store.over = {make_lock(test::lock_for_a_sign("joe@example.com"), 1, rig.clock.wall()),
                    make_lock(test::lock_for_a_sign("ann@example.com"), 0, rig.clock.wall())};
  rig.loop.run(rig.warden.end_locks());
  CHECK(rig.texts() == std::vector<std::string>{"the lock of joe@example.com has ended",
                                                "the lock of ann@example.com has ended"});
  CHECK(rig.sink.told[0].kind == EventKind::unlock);
  CHECK(rig.log.lines()[0] == "info: lock: account=\"joe@example.com\" ended reason=\"distinct_recipients\" unlocks=2");
  rig.loop.run(rig.warden.end_locks());
  CHECK(rig.sink.told.size() == 2);
}

TEST_CASE("warden: locks are ended every second, one round at a time") {
  Rig rig;
  rig.store.gate.close();
  rig.warden.start();
  rig.loop.turn_until([&] { return rig.store.asked_to_end == 1; });
  CHECK_FALSE(rig.warden.idle());
  rig.warden.stop();
  rig.store.gate.open();
  CHECK(rig.warden.idle());
}

TEST_CASE("warden: a person's lock is told as well") {
  Rig rig;
  const auto outcome = rig.loop.run(rig.warden.lock(test::lock_by_hand("joe@example.com")));
  REQUIRE(outcome.ok());
  CHECK(outcome->made);
  CHECK(rig.texts() == std::vector<std::string>{"joe@example.com is locked until lifted: phished"});
}

TEST_CASE("warden: evidence names the meter, what its window holds, and the limit") {
  CHECK(evidence_of(kSign, 501) == kEvidence);
  CHECK(evidence_of({Meter::bytes, 2'000'000'000, std::chrono::hours(1)}, 3'000'000'000) ==
        "bytes 3GB in 1h, limit 2GB/1h");
}

}  // namespace
}  // namespace policyd
