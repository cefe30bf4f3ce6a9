// Locks in the state file: read back as they were written, forgotten when they are old, and not lost to a kill.
#include <doctest/doctest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdint>
#include <string>

#include "tests/support/lock_requests.h"
#include "tests/support/state_files.h"
#include "tests/support/temporary_directory.h"

namespace policyd {
namespace {

using test::kNow;
using test::load;
using test::lock_by_hand;
using test::lock_for_a_sign;
using test::open_or_fail;
using test::TemporaryDirectory;

LockRecord locked(const LockRequest& request) {
  LockRecord record;
  REQUIRE(lock(record, request, kNow));
  return record;
}

TEST_CASE("sqlite_locks: a record is read back as it was written, and replaced as a whole") {
  const TemporaryDirectory directory;
  const std::string path = directory.file("state.db");
  const std::string account = "a\"b{c}\n\xc3\xa4@example.com";
  LockRecord record = locked(lock_for_a_sign(account));
  CHECK(end_lock(record, kNow + std::chrono::hours(2)));
  CHECK(lock(record, lock_by_hand(account), kNow + std::chrono::hours(3)));
  {
    const auto file = open_or_fail(path);
    CHECK(file->put_locks(account, locked(lock_by_hand(account, "before"))).ok());
    CHECK(file->put_locks("joe", locked(lock_for_a_sign("joe"))).ok());
    CHECK(file->put_locks(account, record).ok());
    CHECK(file->put_locks("ann", LockRecord{}).ok());
  }
  const auto contents = load(path);
  CHECK(contents.warnings.empty());
  REQUIRE(contents.locks.size() == 2);
  const LockRecord& read = contents.locks[0].second;
  CHECK(contents.locks[0].first == account);
  CHECK(read.lock == record.lock);
  CHECK(read.unlocks == 1);
  CHECK(read.ended == record.ended);
  CHECK(read.events == record.events);
  REQUIRE(contents.locks[1].second.lock);
  CHECK(contents.locks[1].second.lock->until == kNow + std::chrono::hours(1));
}

TEST_CASE("sqlite_locks: a count without a lock is kept, and forgotten with the history 90 days after") {
  const TemporaryDirectory directory;
  const std::string path = directory.file("state.db");
  LockRecord record = locked(lock_for_a_sign("joe"));
  const WallTime ended = kNow + std::chrono::hours(1);
  CHECK(end_lock(record, ended));
  const auto file = open_or_fail(path);
  CHECK(file->put_locks("joe", record).ok());
  CHECK(file->sweep(ended + kLocksRemembered - Milliseconds(1)).ok());
  auto contents = file->load(kNow);
  REQUIRE(contents->locks.size() == 1);
  CHECK(contents->locks[0].second.unlocks == 1);
  CHECK(contents->locks[0].second.events.size() == 1);
  CHECK(file->sweep(ended + kLocksRemembered).ok());
  contents = file->load(kNow);
  CHECK(contents->locks.empty());
}

TEST_CASE("sqlite_locks: a lock without an end is never swept") {
  const TemporaryDirectory directory;
  const auto file = open_or_fail(directory.file("state.db"));
  CHECK(file->put_locks("joe", locked(lock_by_hand("joe"))).ok());
  CHECK(file->sweep(kNow + 10 * kLocksRemembered).ok());
  const auto contents = file->load(kNow);
  REQUIRE(contents->locks.size() == 1);
  CHECK(contents->locks[0].second.lock);
}

// The life of a policyd that is killed: it tells over the pipe of every lock that it was promised to be on disk.
[[noreturn]] void put_locks_for_ever(const std::string& path, int pipe) {
  auto file = StateFile::open(path);
  if (!file) _exit(1);
  for (uint32_t number = 0;; ++number) {
    const std::string account = std::to_string(number);
    LockRecord record;
    const bool made = lock(record, lock_for_a_sign(account), kNow);
    if (!made || !(*file)->put_locks(account, record)) _exit(1);
    if (write(pipe, &number, sizeof number) != sizeof number) _exit(1);
  }
}

TEST_CASE("sqlite_locks: kill -9 loses no lock") {
  const TemporaryDirectory directory;
  const std::string path = directory.file("state.db");
  constexpr uint32_t kWaitFor = 50;
  int ends[2];
  REQUIRE(pipe(ends) == 0);
  const pid_t child = fork();
  if (child == 0) {
    close(ends[0]);
    put_locks_for_ever(path, ends[1]);
  }
  close(ends[1]);
  uint32_t told = 0;
  while (told < kWaitFor && read(ends[0], &told, sizeof told) == sizeof told) {
  }
  kill(child, SIGKILL);
  waitpid(child, nullptr, 0);
  while (read(ends[0], &told, sizeof told) == sizeof told) {  // what it told before it died
  }
  close(ends[0]);
  CHECK(told >= kWaitFor);
  CHECK(load(path).locks.size() >= told + 1);
}

}  // namespace
}  // namespace policyd
