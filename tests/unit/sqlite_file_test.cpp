// The state file: what is put is there again, what cannot be used is refused with the way out, a kill loses no block.
#include <doctest/doctest.h>
#include <signal.h>
#include <sqlite3.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>

#include "policyd/store/cell_codec.h"
#include "policyd/store/state_file.h"
#include "tests/support/fake_clock.h"
#include "tests/support/temporary_directory.h"

namespace policyd {
namespace {

using test::FakeClock;
using test::TemporaryDirectory;

constexpr WallTime kNow = FakeClock::kStart;

std::unique_ptr<StateFile> open_or_fail(const std::string& path) {
  auto file = StateFile::open(path);
  if (!file) FAIL(file.error().message);
  return std::move(*file);
}

StateFile::Contents load(const std::string& path, WallTime now = kNow) {
  auto contents = open_or_fail(path)->load(now);
  if (!contents) FAIL(contents.error().message);
  return std::move(*contents);
}

std::string error_of_opening(const std::string& path) {
  const auto file = StateFile::open(path);
  return file ? "" : file.error().message;
}

// What another program, or a hand, does to the file.
void run_sql(const std::string& path, const std::string& sql) {
  sqlite3* connection = nullptr;
  REQUIRE(sqlite3_open(path.c_str(), &connection) == SQLITE_OK);
  const int code = sqlite3_exec(connection, sql.c_str(), nullptr, nullptr, nullptr);
  sqlite3_close(connection);
  REQUIRE(code == SQLITE_OK);
}

Block block_of(std::string target) {
  Block block;
  block.target = {BlockType::email, std::move(target)};
  return block;
}

TEST_CASE("sqlite_file: blocks, settings and counters outlive the process") {
  const TemporaryDirectory directory;
  const std::string path = directory.file("state.db");
  const Block block{{BlockType::domain, "example.com"},
                    BlockDirection::out,
                    "it's \"odd\"; -- \xc3\xa4",
                    "450 4.7.1 Later",
                    "ann",
                    "2026-11-21T10:00:00Z",
                    kNow + Milliseconds{1}};
  const Counters::Cells cells{1, 60'000, 2, 100, 3, 101, 1};
  {
    const auto file = open_or_fail(path);
    CHECK(file->put_block(block).ok());
    CHECK(file->put_block(block_of("joe@example.com")).ok());
    CHECK(file->put_setting("joe", "messages", "60/1m").ok());
    CHECK(file->put_setting("joe", "on_limit", "hold").ok());
    CHECK(file->put_setting("ann", "bytes", "none").ok());
    CHECK(file->write_counters({{"joe", cells}, {"ann", cells}}).ok());
  }
  const auto contents = load(path);
  CHECK(contents.warnings.empty());
  REQUIRE(contents.blocks.size() == 2);
  const Block& read = contents.blocks[0].target == block.target ? contents.blocks[0] : contents.blocks[1];
  CHECK(read.target == block.target);
  CHECK(read.fields() == block.fields());
  CHECK(read.expires == block.expires);
  REQUIRE(contents.settings.size() == 2);
  CHECK(contents.settings[0].first == "ann");
  CHECK(contents.settings[1].second.to_map() ==
        std::map<std::string, std::string>{{"messages", "60/1m"}, {"on_limit", "hold"}});
  REQUIRE(contents.counters.size() == 2);
  CHECK(contents.counters[0].second.cells() == cells);
}

GreylistRecord greylist_record(std::string key, GreylistRecord::Kind kind, Milliseconds lives) {
  GreylistRecord record;
  record.key = std::move(key);
  record.kind = kind;
  record.at = kNow - Milliseconds{1'000};
  record.until = kNow + lives;
  record.message = 0xfedcba9876543210;
  record.count = 3;
  return record;
}

TEST_CASE("sqlite_file: greylist records outlive the process, until they run out, in the order of their times") {
  using Kind = GreylistRecord::Kind;
  const TemporaryDirectory directory;
  const std::string path = directory.file("state.db");
  auto waiting = greylist_record("192.0.2.0/24 ann@example.org>bob@example.com", Kind::waiting, Milliseconds{10});
  auto client = greylist_record("192.0.2.0/24", Kind::client, Milliseconds{20});
  client.at -= Milliseconds{1};
  {
    const auto file = open_or_fail(path);
    CHECK(file->write_greylist({waiting, client}).ok());
    waiting.kind = Kind::passed;
    CHECK(file->write_greylist({waiting}).ok());
  }
  CHECK(load(path).greylist == std::vector<GreylistRecord>{client, waiting});
  CHECK(load(path, kNow + Milliseconds{10}).greylist.size() == 2);
  CHECK(load(path, kNow + Milliseconds{11}).greylist == std::vector<GreylistRecord>{client});
  CHECK(open_or_fail(path)->sweep(kNow + Milliseconds{11}).ok());
  CHECK(load(path).greylist == std::vector<GreylistRecord>{client});
}

TEST_CASE("sqlite_file: greylist records of an unknown kind are left out, and said once") {
  const TemporaryDirectory directory;
  const std::string path = directory.file("state.db");
  CHECK(open_or_fail(path)->write_greylist({greylist_record("a", GreylistRecord::Kind::client, Milliseconds{10}),
                                            greylist_record("b", GreylistRecord::Kind::client, Milliseconds{10})}).ok());
  run_sql(path, "UPDATE greylist SET kind = 'odd'");
  const auto contents = load(path);
  CHECK(contents.greylist.empty());
  CHECK(contents.warnings == std::vector<std::string>{path + ": greylist: 2 records of an unknown kind; left out"});
}

TEST_CASE("sqlite_file: what is put again is replaced, what is removed is gone") {
  const TemporaryDirectory directory;
  const std::string path = directory.file("state.db");
  {
    const auto file = open_or_fail(path);
    Block block = block_of("joe@example.com");
    block.description = "first";
    CHECK(file->put_block(block).ok());
    block.description = "second";
    CHECK(file->put_block(block).ok());
    CHECK(file->put_block(block_of("ann@example.com")).ok());
    CHECK(file->remove_block({BlockType::email, "ann@example.com"}).ok());
    CHECK(file->remove_block({BlockType::email, "nobody@example.com"}).ok());
    CHECK(file->put_setting("joe", "messages", "1/1m").ok());
    CHECK(file->put_setting("joe", "bytes", "1MB/1d").ok());
    CHECK(file->remove_setting("joe", "messages").ok());
    CHECK(file->write_counters({{"joe", {1, 60'000, 1, 100, 3}}}).ok());
    CHECK(file->write_counters({{"joe", {}}, {"ann", {}}}).ok());
  }
  const auto contents = load(path);
  REQUIRE(contents.blocks.size() == 1);
  CHECK(contents.blocks[0].description == "second");
  REQUIRE(contents.settings.size() == 1);
  CHECK(contents.settings[0].second.to_map() == std::map<std::string, std::string>{{"bytes", "1MB/1d"}});
  CHECK(contents.counters.empty());
}

TEST_CASE("sqlite_file: names are kept octet by octet") {
  const TemporaryDirectory directory;
  const std::string path = directory.file("state.db");
  const std::vector<std::string> names{"",         "a{b}c",    "a:b c=d",                "j\xc3\xb6rg",
                                       "a\nb",     "\xff\xfe", std::string("a\0b", 3), "'; DROP TABLE counters; --"};
  StateFile::CounterBatch batch;
  for (const std::string& name : names) batch.emplace_back(name, Counters::Cells{1, 60'000, 1, 100, 3});
  CHECK(open_or_fail(path)->write_counters(batch).ok());
  std::vector<std::string> read;
  for (const auto& [name, counters] : load(path).counters) read.push_back(name);
  CHECK(read.size() == names.size());
  for (const std::string& name : names) CHECK(std::find(read.begin(), read.end(), name) != read.end());
}

TEST_CASE("sqlite_file: blocks that have run out are not read, and swept") {
  const TemporaryDirectory directory;
  const std::string path = directory.file("state.db");
  {
    const auto file = open_or_fail(path);
    Block block = block_of("joe@example.com");
    block.expires = kNow + Milliseconds{1'000};
    CHECK(file->put_block(block).ok());
    CHECK(file->put_block(block_of("ann@example.com")).ok());
    CHECK(file->sweep(kNow).ok());
  }
  CHECK(load(path, kNow).blocks.size() == 2);
  CHECK(load(path, kNow + Milliseconds{1'000}).blocks.size() == 1);
  CHECK(open_or_fail(path)->sweep(kNow + Milliseconds{1'000}).ok());
  CHECK(load(path, kNow).blocks.size() == 1);
}

TEST_CASE("sqlite_file: a row that makes no sense is told and left out") {
  const TemporaryDirectory directory;
  const std::string path = directory.file("state.db");
  CHECK(open_or_fail(path)->put_block(block_of("joe@example.com")).ok());
  run_sql(path,
          "UPDATE blocks SET direction = 'sideways';"
          "INSERT INTO blocks VALUES('planet', 'mars', 'both', '', '', '', '', NULL);"
          "INSERT INTO settings VALUES('joe', 'messages', 'many');"
          "INSERT INTO settings VALUES('joe', 'on_limit', 'hold');"
          "INSERT INTO counters VALUES('joe', x'ff00'), ('ann', x'01'), ('b', x'010203');");
  const auto contents = load(path);
  REQUIRE(contents.warnings.size() == 5);
  CHECK(contents.warnings[0].starts_with(path + ": block email \"joe@example.com\": "));
  CHECK(contents.warnings[1] == path + ": block planet \"mars\": unknown type; left out");
  CHECK(contents.warnings[2] == path +
                                    ": settings of \"joe\": messages: \"many\" is not a limit: the window is missing; "
                                    "expected N/WINDOW, e.g. 60/1m; left out");
  CHECK(contents.warnings[3] == path + ": counters of \"b\": damaged; left out");
  CHECK(contents.warnings[4] == path + ": counters of \"joe\": damaged; left out");
  REQUIRE(contents.blocks.size() == 1);
  CHECK(contents.blocks[0].direction == BlockDirection::both);  // a slip of the pen lifts no block
  CHECK(contents.settings[0].second.on_limit == OnLimit::hold);
  CHECK(contents.counters.size() == 1);
}

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

// Files of this process may not grow beyond `octets` while this lives: what a full disk does to a write.
class SmallFiles {
 public:
  explicit SmallFiles(rlim_t octets) {
    getrlimit(RLIMIT_FSIZE, &before_);
    signal_ = signal(SIGXFSZ, SIG_IGN);
    const rlimit small{octets, before_.rlim_max};
    setrlimit(RLIMIT_FSIZE, &small);
  }
  ~SmallFiles() {
    setrlimit(RLIMIT_FSIZE, &before_);
    signal(SIGXFSZ, signal_);
  }
  SmallFiles(const SmallFiles&) = delete;
  SmallFiles& operator=(const SmallFiles&) = delete;

 private:
  rlimit before_{};
  void (*signal_)(int);
};

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
