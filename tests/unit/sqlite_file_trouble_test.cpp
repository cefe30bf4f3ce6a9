// The state file in trouble: who may open it, what is refused and with which way out, a full disk, a kill that loses no
// block.
#include <doctest/doctest.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "tests/support/small_files.h"
#include "tests/support/state_files.h"
#include "tests/support/temporary_directory.h"

namespace policyd {
namespace {

using test::block_of;
using test::error_of_opening;
using test::kNow;
using test::load;
using test::open_or_fail;
using test::run_sql;
using test::SmallFiles;
using test::TemporaryDirectory;

TEST_CASE("sqlite_file: only its owner may write it, and only his group read it") {
  const TemporaryDirectory directory;
  const std::string path = directory.file("state.db");
  const auto file = open_or_fail(path);
  CHECK(file->put_block(block_of("joe@example.com")).ok());
  for (const char* suffix : {"", "-wal"}) {
    struct stat found {};
    REQUIRE(stat((path + suffix).c_str(), &found) == 0);
    CHECK((found.st_mode & 0777 & ~0640) == 0);
  }
}

TEST_CASE("sqlite_file: what cannot be opened is refused with the way out") {
  const TemporaryDirectory directory;
  const std::string missing = directory.file("no/such/state.db");
  CHECK(error_of_opening(missing) == missing + ": the directory " + directory.file("no/such") +
                                         " does not exist; create it, owned by the user that policyd runs as");
  CHECK(error_of_opening(directory.path()) == directory.path() + ": is a directory; name a file in it, e.g. memory:" +
                                                  directory.path() + "/state.db");
  CHECK(error_of_opening("/dev/null") == "/dev/null: is not a regular file; give another one in [store] url");
  CHECK(error_of_opening("state.db") ==
        "state.db: is not an absolute path; give e.g. memory:/var/lib/policyd/state.db");

  const std::string text = directory.file("text");
  std::ofstream(text) << std::string(5'000, 'x');
  CHECK(error_of_opening(text) ==
        text + ": is not a state file of policyd; move it away, or give another file in [store] url");
  CHECK(error_of_opening(text + "/state.db") ==
        text + "/state.db: cannot be opened: Not a directory; the user that policyd runs as has to read and write the "
               "file and its directory");

  const std::string other = directory.file("other.db");
  run_sql(other, "CREATE TABLE recipes(name TEXT)");
  CHECK(error_of_opening(other) == other + ": is a database of another program; give another file in [store] url");
}

TEST_CASE("sqlite_file: without rights it says who needs them") {
  if (geteuid() == 0) {
    MESSAGE("the superuser may do everything; not tested");
    return;
  }
  const TemporaryDirectory directory;
  const std::string path = directory.file("state.db");
  { const auto file = open_or_fail(path); }
  chmod(path.c_str(), 0400);
  const std::string who = "; the user that policyd runs as has to read and write the file and its directory";
  CHECK(error_of_opening(path) == path + ": cannot be opened: Permission denied" + who);
  chmod(directory.path().c_str(), 0500);
  const std::string fresh = directory.file("new.db");
  CHECK(error_of_opening(fresh) == fresh + ": cannot be created: Permission denied" + who);
  chmod(directory.path().c_str(), 0700);
}

TEST_CASE("sqlite_file: the file of a newer policyd is left alone") {
  const TemporaryDirectory directory;
  const std::string path = directory.file("state.db");
  { const auto file = open_or_fail(path); }
  run_sql(path, "PRAGMA user_version = 2");
  CHECK(error_of_opening(path) == path +
                                      ": was written by a newer policyd (schema 2, this one knows 1); upgrade "
                                      "policyd, or give another file in [store] url");
}

TEST_CASE("sqlite_file: a second policyd is kept out, until the first has gone") {
  const TemporaryDirectory directory;
  const std::string path = directory.file("state.db");
  auto first = open_or_fail(path);
  const std::string busy =
      path + ": is in use by another policyd; stop that one, or give this one another file in [store] url";
  CHECK(error_of_opening(path) == busy);
  CHECK(first->put_block(block_of("joe@example.com")).ok());
  first.reset();
  CHECK(load(path).blocks.size() == 1);
}

TEST_CASE("sqlite_file: another process is kept out, and the lock goes with it however it dies") {
  const TemporaryDirectory directory;
  const std::string path = directory.file("state.db");
  int ends[2];
  REQUIRE(pipe(ends) == 0);
  const pid_t other = fork();
  if (other == 0) {
    const auto held = StateFile::open(path);
    if (write(ends[1], held ? "+" : "-", 1) == 1) pause();
    _exit(1);
  }
  char opened = 0;
  CHECK(read(ends[0], &opened, 1) == 1);
  CHECK(opened == '+');
  CHECK(error_of_opening(path) ==
        path + ": is in use by another policyd; stop that one, or give this one another file in [store] url");
  kill(other, SIGKILL);
  waitpid(other, nullptr, 0);
  close(ends[0]);
  close(ends[1]);
  CHECK(error_of_opening(path).empty());
}

TEST_CASE("sqlite_file: an empty file, and one that has lost a table, is told, and serves") {
  const TemporaryDirectory directory;
  const std::string copy = "; if there was one, end policyd and put a copy of the file in its place";
  const std::string empty = directory.file("empty.db");
  std::ofstream(empty).close();
  CHECK(load(empty).warnings == std::vector{empty + ": is an empty file: no state of before" + copy});
  CHECK(load(empty).warnings.empty());

  const std::string path = directory.file("state.db");
  CHECK(load(path).warnings.empty());  // a new one
  CHECK(open_or_fail(path)->put_block(block_of("joe@example.com")).ok());
  run_sql(path, "DROP TABLE settings; DROP TABLE greylist");
  const auto less = load(path);
  const std::string nothing = ": nothing of before in it" + copy;
  CHECK(less.warnings ==
        std::vector{path + ": has no table settings" + nothing, path + ": has no table greylist" + nothing});
  CHECK(less.blocks.size() == 1);
  CHECK(open_or_fail(path)->put_setting("joe", "messages", "1/1h").ok());
  CHECK(load(path).warnings.empty());
  CHECK(load(path).settings.size() == 1);
}

TEST_CASE("sqlite_file: a damaged file is told") {
  const TemporaryDirectory directory;
  const std::string path = directory.file("state.db");
  {
    const auto file = open_or_fail(path);
    for (int i = 0; i < 200; ++i) CHECK(file->put_block(block_of(std::to_string(i) + "@example.com")).ok());
  }
  std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
  file.seekp(4096);
  file << std::string(3 * 4096, '\x55');
  file.close();
  auto opened = StateFile::open(path);
  const auto contents = opened ? (*opened)->load(kNow) : Result<StateFile::Contents>(opened.error());
  REQUIRE_FALSE(contents.ok());
  CHECK(contents.error().message == path +
                                        ": is damaged: database disk image is malformed; put a copy in its place, "
                                        "or move it away to start with nothing");
}

TEST_CASE("sqlite_file: what cannot be written is told, changes nothing, and can be written later") {
  const TemporaryDirectory directory;
  const std::string path = directory.file("state.db");
  {
    const auto file = open_or_fail(path);
    CHECK(file->put_block(block_of("joe@example.com")).ok());
    {
      const SmallFiles full(4'096);
      const auto put = file->put_block(block_of("ann@example.com"));
      REQUIRE_FALSE(put.ok());
      // Some versions of SQLite add the system's reason.
      CHECK(put.error().message.starts_with(path + ": cannot be written: disk I/O error"));
      CHECK_FALSE(file->write_counters({{"joe", {1, 60'000, 1, 100, 3}}}).ok());
    }
    CHECK(file->write_counters({{"ann", {1, 60'000, 1, 100, 3}}}).ok());
  }
  const auto contents = load(path);
  CHECK(contents.blocks.size() == 1);
  REQUIRE(contents.counters.size() == 1);
  CHECK(contents.counters[0].first == "ann");
}

// The life of a policyd that is killed: it tells over the pipe of every block that it was promised to be on disk.
[[noreturn]] void put_blocks_for_ever(const std::string& path, int pipe) {
  auto file = StateFile::open(path);
  if (!file) _exit(1);
  for (uint32_t number = 0;; ++number) {
    const bool put = (*file)->put_block(block_of(std::to_string(number) + "@example.com")).ok();
    if (!put || write(pipe, &number, sizeof number) != sizeof number) _exit(1);
  }
}

TEST_CASE("sqlite_file: kill -9 loses no block") {
  const TemporaryDirectory directory;
  const std::string path = directory.file("state.db");
  for (const uint32_t wait_for : {0U, 7U, 150U}) {
    std::filesystem::remove(path);
    int ends[2];
    REQUIRE(pipe(ends) == 0);
    const pid_t child = fork();
    if (child == 0) {
      close(ends[0]);
      put_blocks_for_ever(path, ends[1]);
    }
    close(ends[1]);
    uint32_t told = 0;
    while (told < wait_for && read(ends[0], &told, sizeof told) == sizeof told) {
    }
    kill(child, SIGKILL);
    waitpid(child, nullptr, 0);
    bool any = wait_for > 0;
    while (read(ends[0], &told, sizeof told) == sizeof told) any = true;  // what it told before it died
    close(ends[0]);
    CHECK(load(path).blocks.size() >= (any ? told + 1 : 0));
    CHECK(told >= wait_for);
  }
}

}  // namespace
}  // namespace policyd
