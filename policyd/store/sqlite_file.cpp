// The state file in SQLite: see state_file.h.
//
// One file with nine tables, in WAL mode with synchronous=FULL: what was committed is on disk, and a process that is
// killed at any moment loses nothing of it. The exclusive lock is held as long as the file is open, and goes with the
// process. Names and values are stored octet by octet. A schema of a later policyd is refused, never guessed at.
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <mutex>

#include "policyd/store/sqlite.h"
#include "policyd/store/sqlite_counters.h"
#include "policyd/store/sqlite_greylist.h"
#include "policyd/store/sqlite_journal.h"
#include "policyd/store/sqlite_locks.h"
#include "policyd/store/sqlite_reports.h"
#include "policyd/store/state_file.h"
#include "shared/text.h"

namespace policyd {

namespace {

constexpr int kBusyMs = 250;  // another policyd may be at its last write
constexpr mode_t kFileMode = 0640;
constexpr int64_t kApplication = 0x706f6c64;  // "pold"; stands in the file's header, see file(1)
constexpr int64_t kSchema = 1;

struct FileTable {
  std::string_view name;
  const char* create;  // also its indexes
};
// Times are ms since 1970.
constexpr FileTable kTables[] = {
    {"blocks",
     "CREATE TABLE IF NOT EXISTS blocks(type TEXT NOT NULL, target TEXT NOT NULL, direction TEXT NOT NULL,"
     " description TEXT NOT NULL, reply TEXT NOT NULL, \"by\" TEXT NOT NULL, created TEXT NOT NULL,"
     " expires INTEGER, PRIMARY KEY(type, target)) WITHOUT ROWID;"  // expires: NULL: never
     "CREATE INDEX IF NOT EXISTS block_expiry ON blocks(expires) WHERE expires IS NOT NULL"},
    {"settings",
     "CREATE TABLE IF NOT EXISTS settings(account TEXT NOT NULL, key TEXT NOT NULL, value TEXT NOT NULL,"
     " PRIMARY KEY(account, key)) WITHOUT ROWID"},
    {"counters", kCreateCounters},
    {"elements", kCreateElements},
    {"greylist", kCreateGreylist},
    {"reports", kCreateReports},
    {"locks", kCreateLocks},
    {"lock_events", kCreateLockEvents},
    {"journal", kCreateJournal},
};
constexpr const char* kSign = "PRAGMA application_id = 1886350436; PRAGMA user_version = 1";
static_assert(kApplication == 1886350436 && kSchema == 1, "as in kSign");

constexpr std::string_view kRights = "; the user that policyd runs as has to read and write the file and its directory";

Error cannot_open(const std::string& path, int failure) {
  return {path + ": cannot be opened: " + std::strerror(failure) + std::string(kRights)};
}

// Creates the file with rights of our own choosing. An existing one is not opened: closing it would
// give up the locks that another connection of this process holds on it. The result: whether it was there before.
Result<bool> prepare(const std::string& path) {
  if (!path.starts_with('/')) {
    return Error{path + ": is not an absolute path; give e.g. memory:/var/lib/policyd/state.db"};
  }
  struct stat found {};
  if (stat(path.c_str(), &found) == 0) {
    if (S_ISDIR(found.st_mode)) {
      return Error{path + ": is a directory; name a file in it, e.g. memory:" + path + "/state.db"};
    }
    if (!S_ISREG(found.st_mode)) return Error{path + ": is not a regular file; give another one in [store] url"};
    if (access(path.c_str(), R_OK | W_OK) != 0) return cannot_open(path, errno);
    return true;
  }
  if (errno != ENOENT) return cannot_open(path, errno);
  const std::string directory = path.substr(0, std::max<size_t>(path.rfind('/'), 1));
  if (access(directory.c_str(), F_OK) != 0 && errno == ENOENT) {
    return Error{path + ": the directory " + directory +
                 " does not exist; create it, owned by the user that policyd runs as"};
  }
  const int created = open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, kFileMode);
  if (created < 0 && errno != EEXIST) {
    return Error{path + ": cannot be created: " + std::strerror(errno) + std::string(kRights)};
  }
  if (created >= 0) close(created);
  return false;
}

Error describe(const std::string& path, const Sqlite& database) {
  switch (database.problem()) {
    case Sqlite::Problem::busy:
      return {path + ": is in use by another policyd; stop that one, or give this one another file in [store] url"};
    case Sqlite::Problem::foreign:
      return {path + ": is not a state file of policyd; move it away, or give another file in [store] url"};
    case Sqlite::Problem::damaged:
      return {path + ": is damaged: " + database.reason() +
              "; put a copy in its place, or move it away to start with nothing"};
    default:
      return {path + ": cannot be opened: " + database.reason() + std::string(kRights)};
  }
}

class SqliteFile final : public StateFile {
 public:
  explicit SqliteFile(const std::string& path) : path_(path), database_(path, kBusyMs) {}

  // `existed`: the file was not made just now, so that what is not in it may have been lost.
  Result<void> initialise(bool existed);
  Result<Contents> load(WallTime now) override;
  Result<void> put_block(const Block& block) override;
  Result<void> remove_block(const BlockTarget& target) override;
  Result<void> put_setting(const std::string& account, const std::string& key, const std::string& value) override;
  Result<void> remove_setting(const std::string& account, const std::string& key) override;
  Result<void> put_locks(const std::string& account, const LockRecord& record) override;
  Result<void> write_counters(const CounterBatch& batch) override;
  Result<void> write_elements(const ElementBatch& batch) override;
  Result<void> write_greylist(const GreylistBatch& batch) override;
  Result<void> write_reports(const std::vector<ReportRow>& batch) override;
  Result<void> add_journal(const JournalBatch& batch, WallTime now) override;
  Result<JournalPage> journal(const JournalRange& range) override;
  Result<void> sweep(WallTime now) override;

 private:
  void look_for_tables(bool fresh);
  void create_tables();
  void load_blocks(WallTime now, Contents& contents);
  void load_settings(Contents& contents);
  void load_counters(Contents& contents);
  void load_greylist(WallTime now, Contents& contents);
  void load_reports(WallTime now, Contents& contents);
  Result<void> written();

  const std::string path_;
  std::mutex mutex_;  // jobs come from several threads
  Sqlite database_;
  SqliteJournal journal_{database_};
  std::vector<std::string> losses_;  // as far as they can be seen when it is opened
};

Result<void> SqliteFile::initialise(bool existed) {
  // Before anything is read: with this, reading takes the lock, and no other process can share the file.
  database_.run("PRAGMA locking_mode = EXCLUSIVE");
  const int64_t application = database_.number("PRAGMA application_id");
  const int64_t schema = database_.number("PRAGMA user_version");
  const int64_t tables = database_.number("SELECT count(*) FROM sqlite_master");
  if (database_.failed()) return describe(path_, database_);
  const bool fresh = application == 0 && schema == 0 && tables == 0;
  if (!fresh && application != kApplication) {
    return Error{path_ + ": is a database of another program; give another file in [store] url"};
  }
  if (schema > kSchema) {
    return Error{path_ + ": was written by a newer policyd (schema " + std::to_string(schema) +
                 ", this one knows " + std::to_string(kSchema) +
                 "); upgrade policyd, or give another file in [store] url"};
  }
  const std::string journal = database_.word("PRAGMA journal_mode = WAL");
  database_.run("PRAGMA synchronous = FULL");
  if (existed) look_for_tables(fresh);
  create_tables();
  if (database_.failed()) return describe(path_, database_);
  if (journal != "wal") return Error{path_ + ": the file system cannot hold a write-ahead log; give a file elsewhere"};
  return {};
}

void SqliteFile::look_for_tables(bool fresh) {
  constexpr std::string_view kCopy = "; if there was one, end policyd and put a copy of the file in its place";
  if (fresh) {
    losses_.push_back(path_ + ": is an empty file: no state of before" + std::string(kCopy));
    return;
  }
  for (const FileTable& table : kTables) {
    SqliteStatement row(database_, "SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = ?");
    if (row.bind(table.name).step() || database_.failed()) continue;
    losses_.push_back(path_ + ": has no table " + std::string(table.name) + ": nothing of before in it" +
                      std::string(kCopy));
  }
}

void SqliteFile::create_tables() {
  database_.run("BEGIN IMMEDIATE");
  for (const FileTable& table : kTables) database_.run(table.create);
  database_.run(kSign);
  database_.run("COMMIT");
}

Result<StateFile::Contents> SqliteFile::load(WallTime now) {
  const std::lock_guard lock(mutex_);
  database_.forget_failure();
  Contents contents;
  contents.warnings = losses_;
  load_blocks(now, contents);
  load_settings(contents);
  load_counters(contents);
  load_greylist(now, contents);
  load_reports(now, contents);
  contents.locks = load_locks(database_);
  if (database_.failed()) return describe(path_, database_);
  return contents;
}

void SqliteFile::load_blocks(WallTime now, Contents& contents) {
  SqliteStatement row(database_,
                      "SELECT type, target, direction, description, reply, \"by\", created, expires FROM blocks"
                      " WHERE expires IS NULL OR expires > ?");
  row.bind(now.time_since_epoch().count());
  while (row.step()) {
    const std::string name = "block " + row.text(0) + " " + quoted(row.text(1));
    const auto type = parse_block_type(row.text(0));
    if (!type) {
      contents.warnings.push_back(path_ + ": " + name + ": unknown type; left out");
      continue;
    }
    const std::map<std::string, std::string> fields{{"direction", row.text(2)}, {"description", row.text(3)},
                                                    {"reply", row.text(4)},     {"by", row.text(5)},
                                                    {"created", row.text(6)}};
    std::string warning;
    Block block = Block::from_fields({*type, row.text(1)}, fields, &warning);
    if (const auto expires = row.number(7)) block.expires = WallTime(Milliseconds(*expires));
    if (!warning.empty()) contents.warnings.push_back(path_ + ": " + name + ": " + warning);
    contents.blocks.push_back(std::move(block));
  }
}

void SqliteFile::load_settings(Contents& contents) {
  SqliteStatement row(database_, "SELECT account, key, value FROM settings ORDER BY account");
  while (row.step()) {
    const std::string account = row.text(0);
    if (contents.settings.empty() || contents.settings.back().first != account) {
      contents.settings.emplace_back(account, AccountSettings{});
    }
    const auto set = contents.settings.back().second.set(row.text(1), row.text(2));
    if (set) continue;
    contents.warnings.push_back(path_ + ": settings of " + quoted(account) + ": " + set.error().message + "; left out");
  }
}

void SqliteFile::load_counters(Contents& contents) {
  std::vector<std::string> counters, elements;
  contents.counters = policyd::load_counters(database_, counters);
  contents.elements = policyd::load_elements(database_, elements);
  const auto warn = [&](const char* what, const std::string& account) {
    contents.warnings.push_back(path_ + ": " + what + " of " + quoted(account) + ": damaged; left out");
  };
  for (const std::string& account : counters) warn("counters", account);
  for (const std::string& account : elements) warn("elements", account);
}

void SqliteFile::load_greylist(WallTime now, Contents& contents) {
  size_t odd = 0;
  contents.greylist = policyd::load_greylist(database_, now, GreylistTable::kBounds, odd);
  if (odd == 0) return;
  contents.warnings.push_back(path_ + ": greylist: " + std::to_string(odd) + " records of an unknown kind; left out");
}

void SqliteFile::load_reports(WallTime now, Contents& contents) {
  size_t odd = 0;
  contents.reports = policyd::load_reports(database_, now, odd);
  if (odd == 0) return;
  contents.warnings.push_back(path_ + ": reports: " + std::to_string(odd) + " rows of an unknown kind; left out");
}

// How a write ended; after a failure nothing of it remains.
Result<void> SqliteFile::written() {
  if (!database_.failed()) return {};
  Error error{path_ + ": cannot be written: " + database_.reason()};
  database_.rollback();
  database_.forget_failure();
  return error;
}

Result<void> SqliteFile::put_block(const Block& block) {
  const std::lock_guard lock(mutex_);
  SqliteStatement row(database_, "INSERT OR REPLACE INTO blocks VALUES(?, ?, ?, ?, ?, ?, ?, ?)");
  row.bind(block_type_name(block.target.type)).bind(block.target.target).bind(block_direction_name(block.direction));
  row.bind(block.description).bind(block.reply).bind(block.by).bind(block.created);
  row.bind(block.expires ? std::optional(block.expires->time_since_epoch().count()) : std::nullopt);
  row.step();
  return written();
}

Result<void> SqliteFile::remove_block(const BlockTarget& target) {
  const std::lock_guard lock(mutex_);
  SqliteStatement row(database_, "DELETE FROM blocks WHERE type = ? AND target = ?");
  row.bind(block_type_name(target.type)).bind(target.target).step();
  return written();
}

Result<void> SqliteFile::put_setting(const std::string& account, const std::string& key, const std::string& value) {
  const std::lock_guard lock(mutex_);
  SqliteStatement row(database_, "INSERT OR REPLACE INTO settings VALUES(?, ?, ?)");
  row.bind(account).bind(key).bind(value).step();
  return written();
}

Result<void> SqliteFile::remove_setting(const std::string& account, const std::string& key) {
  const std::lock_guard lock(mutex_);
  SqliteStatement row(database_, "DELETE FROM settings WHERE account = ? AND key = ?");
  row.bind(account).bind(key).step();
  return written();
}

Result<void> SqliteFile::put_locks(const std::string& account, const LockRecord& record) {
  const std::lock_guard lock(mutex_);
  database_.run("BEGIN IMMEDIATE");
  write_locks(database_, account, record);
  database_.run("COMMIT");
  return written();
}

Result<void> SqliteFile::write_counters(const CounterBatch& batch) {
  const std::lock_guard lock(mutex_);
  database_.run("BEGIN IMMEDIATE");
  policyd::write_counters(database_, batch);
  database_.run("COMMIT");
  return written();
}

Result<void> SqliteFile::write_elements(const ElementBatch& batch) {
  const std::lock_guard lock(mutex_);
  database_.run("BEGIN IMMEDIATE");
  policyd::write_elements(database_, batch);
  database_.run("COMMIT");
  return written();
}

Result<void> SqliteFile::write_greylist(const GreylistBatch& batch) {
  const std::lock_guard lock(mutex_);
  database_.run("BEGIN IMMEDIATE");
  policyd::write_greylist(database_, batch);
  database_.run("COMMIT");
  return written();
}

Result<void> SqliteFile::write_reports(const std::vector<ReportRow>& batch) {
  const std::lock_guard lock(mutex_);
  database_.run("BEGIN IMMEDIATE");
  policyd::write_reports(database_, batch);
  database_.run("COMMIT");
  return written();
}

Result<void> SqliteFile::add_journal(const JournalBatch& batch, WallTime now) {
  const std::lock_guard lock(mutex_);
  database_.run("BEGIN IMMEDIATE");
  journal_.add(batch, now);
  database_.run("COMMIT");
  const bool failed = database_.failed();
  if (failed) journal_.forget();
  return written();
}

Result<JournalPage> SqliteFile::journal(const JournalRange& range) {
  const std::lock_guard lock(mutex_);
  JournalPage page = journal_.read(range);
  if (!database_.failed()) return page;
  Error error{path_ + ": cannot be read: " + database_.reason()};
  database_.forget_failure();
  return error;
}

Result<void> SqliteFile::sweep(WallTime now) {
  const std::lock_guard lock(mutex_);
  SqliteStatement blocks(database_, "DELETE FROM blocks WHERE expires <= ?");
  blocks.bind(now.time_since_epoch().count()).step();
  sweep_greylist(database_, now, GreylistTable::kBounds);
  drop_old_reports(database_, now);
  drop_old_locks(database_, now);
  return written();
}

}  // namespace

Result<std::unique_ptr<StateFile>> StateFile::open(const std::string& path) {
  const Result<bool> existed = prepare(path);
  if (!existed) return existed.error();
  auto file = std::make_unique<SqliteFile>(path);
  if (const auto initialised = file->initialise(*existed); !initialised) return initialised.error();
  return std::unique_ptr<StateFile>(std::move(file));
}

}  // namespace policyd
