// Locks in the mirror: in force by the clock alone, those of the store and those that are held beside it.
#include <doctest/doctest.h>

#include "policyd/store/mirror.h"
#include "tests/support/fake_clock.h"

namespace policyd {
namespace {

using test::FakeClock;

Lock lock_of(std::string account, std::string reason, std::optional<WallTime> until = std::nullopt) {
  Lock lock;
  lock.account = std::move(account);
  lock.reason = std::move(reason);
  lock.until = until;
  return lock;
}

std::string reason_of(const Mirror& mirror, std::string_view account) {
  const Lock* lock = mirror.lock(account);
  return lock ? lock->reason : "not locked";
}

TEST_CASE("mirror: a lock is of its account alone, is replaced and removed") {
  const FakeClock clock;
  Mirror mirror(clock);
  CHECK(reason_of(mirror, "joe@example.com") == "not locked");
  mirror.put_lock(lock_of("joe@example.com", "phished"));
  CHECK(reason_of(mirror, "joe@example.com") == "phished");
  CHECK(reason_of(mirror, "example.com") == "not locked");
  CHECK(reason_of(mirror, "") == "not locked");
  mirror.put_lock(lock_of("joe@example.com", "spam"));
  CHECK(reason_of(mirror, "joe@example.com") == "spam");
  CHECK(mirror.lock_count() == 1);
  mirror.remove_lock("joe@example.com");
  mirror.remove_lock("joe@example.com");
  CHECK(mirror.lock_count() == 0);
}

TEST_CASE("mirror: a lock is over by the clock, and in force until it has been ended, or for some seconds") {
  FakeClock clock;
  Mirror mirror(clock);
  mirror.put_lock(lock_of("joe", "phished", clock.wall() + Milliseconds(1000)));
  CHECK(mirror.over_locks().empty());
  clock.advance(Milliseconds(999));
  CHECK(mirror.over_locks().empty());
  clock.advance(Milliseconds(1));
  CHECK(mirror.over_locks().size() == 1);
  clock.advance(Mirror::kUntilEnded - Milliseconds(1));
  CHECK(reason_of(mirror, "joe") == "phished");
  clock.advance(Milliseconds(1));
  CHECK(reason_of(mirror, "joe") == "not locked");
  CHECK(mirror.locks().empty());
  mirror.sweep();
  REQUIRE(mirror.over_locks().size() == 1);
  CHECK(mirror.over_locks()[0].reason == "phished");
}

TEST_CASE("mirror: a held lock outlives a full load; the store's goes before it") {
  const FakeClock clock;
  Mirror mirror(clock);
  mirror.put_lock(lock_of("ann", "phished"));
  mirror.hold_lock(lock_of("joe", "held"));
  mirror.hold_lock(lock_of("ann", "held"));
  CHECK(reason_of(mirror, "joe") == "held");
  CHECK(reason_of(mirror, "ann") == "phished");
  CHECK(mirror.lock_count() == 2);
  mirror.replace_all(Mirror(clock));
  CHECK(reason_of(mirror, "joe") == "held");
  CHECK(reason_of(mirror, "ann") == "held");
  mirror.release_lock("joe");
  mirror.release_lock("joe");
  CHECK(reason_of(mirror, "joe") == "not locked");
}

TEST_CASE("mirror: locks are listed by account") {
  const FakeClock clock;
  Mirror mirror(clock);
  for (const char* account : {"joe", "ann", "bob"}) mirror.put_lock(lock_of(account, "phished"));
  const auto locks = mirror.locks();
  REQUIRE(locks.size() == 3);
  CHECK(locks[0].account == "ann");
  CHECK(locks[2].account == "joe");
}

}  // namespace
}  // namespace policyd
