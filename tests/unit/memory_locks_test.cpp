// Locks of the embedded store while its file cannot be written.
#include <doctest/doctest.h>

#include <string>

#include "policyd/store/memory.h"
#include "tests/support/captured_log.h"
#include "tests/support/charges.h"
#include "tests/support/fake_clock.h"
#include "tests/support/lock_requests.h"
#include "tests/support/run_task.h"
#include "tests/support/small_files.h"
#include "tests/support/temporary_directory.h"

namespace policyd {
namespace {

// What another process finds in the file: whom it has locked.
std::string locked_in(const std::string& path) {
  const auto file = StateFile::open(path);
  REQUIRE(file.ok());
  const auto contents = (*file)->load(test::FakeClock::kStart);
  REQUIRE(contents.ok());
  std::string accounts;
  for (const auto& [account, record] : contents->locks) {
    if (record.lock) accounts += account + " ";
  }
  return accounts;
}

TEST_CASE("memory locks: what a full disk kept from the file is written with the first look after it") {
  const test::CapturedLog log;
  const test::TemporaryDirectory directory;
  const std::string path = directory.path() + "/state.db";
  test::TestLoop loop;
  test::FakeClock clock;
  Mirror mirror(clock);
  MemoryStore store(loop, clock, mirror, path);
  REQUIRE(store.start().ok());
  CHECK(loop.run(store.lock(test::lock_by_hand("eve@example.com"))).ok());
  {
    const test::SmallFiles full(1);
    CHECK(loop.run(store.lock(test::lock_for_a_sign("joe@example.com"))).ok());
    const auto by_hand = loop.run(store.lock(test::lock_by_hand("ann@example.com")));
    REQUIRE_FALSE(by_hand.ok());
    CHECK(by_hand.error().message.ends_with(
        "\"ann@example.com\" is locked all the same; the file is told when it can be written"));
    const auto lifted = loop.run(store.unlock("eve@example.com", "root"));
    REQUIRE_FALSE(lifted.ok());
    CHECK(lifted.error().message.ends_with(
        "\"eve@example.com\" is unlocked all the same; the file is told when it can be written"));
    CHECK(loop.run(store.end_locks()).ok());
    CHECK(mirror.lock("joe@example.com") != nullptr);
    CHECK(mirror.lock("ann@example.com") != nullptr);
    CHECK(mirror.lock("eve@example.com") == nullptr);
  }
  CHECK(loop.run(store.end_locks()).ok());
  {
    const test::SmallFiles full(1);  // the end writes nothing that was not there
    loop.run(store.stop());
  }
  CHECK(locked_in(path) == "ann@example.com joe@example.com ");
}

TEST_CASE("memory locks: a disk that stalls keeps no lock from ending in time") {
  const test::CapturedLog log;
  const test::TemporaryDirectory directory;
  test::TestLoop loop;
  test::FakeClock clock;
  Mirror mirror(clock);
  MemoryStore store(loop, clock, mirror, directory.path() + "/state.db");
  REQUIRE(store.start().ok());
  const Limits none, signs{{Meter::spam, 1, std::chrono::hours(24)}};
  Charge charge = test::recipient_charge("joe@example.com", "", {}, 0, &none);
  charge.kind = Charge::Kind::sign;
  charge.signs = &signs;
  charge.meter = Meter::spam;
  charge.amount = 2;
  CHECK(loop.run(store.charge(charge)).sign == signs[0]);
  charge.amount = 0;
  {
    const test::SmallFiles full(1);
    CHECK(loop.run(store.lock(test::lock_for_a_sign("joe@example.com"))).ok());
  }
  clock.advance(std::chrono::hours(1));
  const auto is_over = [&mirror] { return mirror.over_locks().size() == 1; };
  CHECK(is_over());
  SUBCASE("all that is over ends before anything is written") {
    const auto ending = store.end_locks();
    ending.start();
    CHECK_FALSE(is_over());
    loop.turn_until([&ending] { return ending.done(); });
    CHECK(ending.result()->size() == 1);
  }
  SUBCASE("mail that is charged while what ends locks is held up finds it ended") {
    charge.dry_run = true;
    CHECK(loop.run(store.charge(charge)).sign == signs[0]);
    CHECK(is_over());
    charge.dry_run = false;
    CHECK_FALSE(loop.run(store.charge(charge)).sign.has_value());
    CHECK_FALSE(is_over());
    CHECK(loop.run(store.end_locks())->size() == 1);
    CHECK(loop.run(store.end_locks())->empty());
  }
  CHECK_FALSE(loop.run(store.charge(charge)).sign.has_value());
  loop.run(store.stop());
}

}  // namespace
}  // namespace policyd
