#include "policyd/store/sqlite_locks.h"

#include <map>
#include <optional>

namespace policyd {

namespace {

constexpr std::string_view kLockColumns = "reason, evidence, since, until, before, \"by\", node";

std::optional<int64_t> number_of(const std::optional<WallTime>& time) {
  return time ? std::optional(time->time_since_epoch().count()) : std::nullopt;
}

std::optional<WallTime> time_of(std::optional<int64_t> number) {
  return number ? std::optional(WallTime(Milliseconds(*number))) : std::nullopt;
}

// kLockColumns, from `column`.
Lock lock_in(const SqliteStatement& row, int column, const std::string& account) {
  Lock lock;
  lock.account = account;
  lock.reason = row.text(column);
  lock.evidence = row.text(column + 1);
  lock.since = time_of(row.number(column + 2));
  lock.until = time_of(row.number(column + 3));
  lock.unlocks = row.number(column + 4).value_or(0);
  lock.by = row.text(column + 5);
  lock.node = row.text(column + 6);
  return lock;
}

void bind_lock(SqliteStatement& row, const Lock& lock) {
  row.bind(lock.reason).bind(lock.evidence).bind(number_of(lock.since)).bind(number_of(lock.until));
  row.bind(lock.unlocks).bind(lock.by).bind(lock.node);
}

void load_events(Sqlite& database, std::map<std::string, LockRecord>& records) {
  SqliteStatement row(database, "SELECT account, event, at, who, " + std::string(kLockColumns) +
                                    " FROM lock_events ORDER BY account, number");
  while (row.step()) {
    const auto kind = parse_lock_event(row.text(1));
    if (!kind) continue;  // of a later policyd
    const std::string account = row.text(0);
    const WallTime at(Milliseconds(row.number(2).value_or(0)));
    records[account].events.push_back({*kind, at, row.text(3), lock_in(row, 4, account)});
  }
}

void write_events(Sqlite& database, const std::string& account, const std::vector<LockEvent>& events) {
  SqliteStatement remove(database, "DELETE FROM lock_events WHERE account = ?");
  remove.bind(account).step();
  SqliteStatement row(database, "INSERT INTO lock_events VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)");
  int64_t number = 0;
  for (const LockEvent& event : events) {
    row.bind(account).bind(number++).bind(lock_event_name(event.kind));
    row.bind(event.at.time_since_epoch().count()).bind(event.by);
    bind_lock(row, event.lock);
    row.step();
    row.again();
  }
}

}  // namespace

std::vector<std::pair<std::string, LockRecord>> load_locks(Sqlite& database) {
  std::map<std::string, LockRecord> records;
  SqliteStatement row(database,
                      "SELECT account, unlocks, ended, locked, " + std::string(kLockColumns) + " FROM locks");
  while (row.step()) {
    const std::string account = row.text(0);
    LockRecord& record = records[account];
    record.unlocks = row.number(1).value_or(0);
    record.ended = time_of(row.number(2));
    if (row.number(3).value_or(0) != 0) record.lock = lock_in(row, 4, account);
  }
  load_events(database, records);
  return {records.begin(), records.end()};
}

void write_locks(Sqlite& database, const std::string& account, const LockRecord& record) {
  SqliteStatement remove(database, "DELETE FROM locks WHERE account = ?");
  remove.bind(account).step();
  if (record.lock || record.unlocks > 0) {
    const Lock none;
    SqliteStatement row(database, "INSERT INTO locks VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)");
    row.bind(account).bind(record.unlocks).bind(number_of(record.ended)).bind(int64_t{record.lock ? 1 : 0});
    bind_lock(row, record.lock ? *record.lock : none);
    row.step();
  }
  write_events(database, account, record.events);
}

void drop_old_locks(Sqlite& database, WallTime now) {
  const int64_t oldest = (now - kLocksRemembered).time_since_epoch().count();
  SqliteStatement locks(database, "DELETE FROM locks WHERE locked = 0 AND ended <= ?");
  locks.bind(oldest).step();
  SqliteStatement events(database, "DELETE FROM lock_events WHERE at <= ?");
  events.bind(oldest).step();
}

}  // namespace policyd
