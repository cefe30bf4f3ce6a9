#include "policyd/store/sqlite.h"

#include <sqlite3.h>

#include <cstring>

namespace policyd {

namespace {

Sqlite::Problem problem_of(int code) {
  switch (code & 0xff) {
    case SQLITE_BUSY: case SQLITE_LOCKED: return Sqlite::Problem::busy;
    case SQLITE_NOTADB: return Sqlite::Problem::foreign;
    case SQLITE_CORRUPT: return Sqlite::Problem::damaged;
    default: return Sqlite::Problem::other;
  }
}

}  // namespace

Sqlite::Sqlite(const std::string& path, int busy_ms) {
  constexpr int kFlags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX;
  if (!note(sqlite3_open_v2(path.c_str(), &connection_, kFlags, nullptr))) return;
  sqlite3_busy_timeout(connection_, busy_ms);
}

Sqlite::~Sqlite() { sqlite3_close(connection_); }

bool Sqlite::note(int code) {
  if (code == SQLITE_OK || code == SQLITE_ROW || code == SQLITE_DONE) return true;
  if (failed()) return false;
  problem_ = problem_of(code);
  reason_ = sqlite3_errstr(code & 0xff);
  const int system = sqlite3_system_errno(connection_);
  const bool of_system = (code & 0xff) == SQLITE_IOERR || (code & 0xff) == SQLITE_CANTOPEN;
  if (of_system && system != 0) reason_.append(" (").append(std::strerror(system)).append(")");
  return false;
}

bool Sqlite::run(const char* sql) {
  return !failed() && note(sqlite3_exec(connection_, sql, nullptr, nullptr, nullptr));
}

int64_t Sqlite::number(const char* sql) {
  SqliteStatement statement(*this, sql);
  return statement.step() ? statement.number(0).value_or(0) : 0;
}

std::string Sqlite::word(const char* sql) {
  SqliteStatement statement(*this, sql);
  return statement.step() ? statement.text(0) : "";
}

void Sqlite::rollback() {
  // Some failures have rolled back already; another one here would tell nothing new.
  if (sqlite3_get_autocommit(connection_) == 0) sqlite3_exec(connection_, "ROLLBACK", nullptr, nullptr, nullptr);
}

int64_t Sqlite::changes() const { return failed() ? 0 : sqlite3_changes(connection_); }

SqliteStatement::SqliteStatement(Sqlite& database, std::string_view sql) : database_(database) {
  if (database_.failed()) return;
  database_.note(sqlite3_prepare_v2(database_.connection_, sql.data(), static_cast<int>(sql.size()), &statement_,
                                    nullptr));
}

SqliteStatement::~SqliteStatement() { sqlite3_finalize(statement_); }

SqliteStatement& SqliteStatement::bind(std::string_view text) {
  if (database_.failed()) return *this;
  // A view of nothing may have no address, which SQLite would take for NULL.
  const char* octets = text.data() ? text.data() : "";
  database_.note(sqlite3_bind_text64(statement_, next_++, octets, text.size(), SQLITE_STATIC, SQLITE_UTF8));
  return *this;
}

SqliteStatement& SqliteStatement::bind_octets(std::string_view octets) {
  if (database_.failed()) return *this;
  database_.note(sqlite3_bind_blob64(statement_, next_++, octets.data(), octets.size(), SQLITE_STATIC));
  return *this;
}

SqliteStatement& SqliteStatement::bind(std::optional<int64_t> number) {
  if (database_.failed()) return *this;
  database_.note(number ? sqlite3_bind_int64(statement_, next_++, *number) : sqlite3_bind_null(statement_, next_++));
  return *this;
}

bool SqliteStatement::step() {
  if (database_.failed()) return false;
  const int code = sqlite3_step(statement_);
  return database_.note(code) && code == SQLITE_ROW;
}

void SqliteStatement::again() {
  next_ = 1;
  sqlite3_reset(statement_);
}

std::string SqliteStatement::text(int column) const {
  const auto* octets = static_cast<const char*>(sqlite3_column_blob(statement_, column));
  const int size = sqlite3_column_bytes(statement_, column);
  return octets ? std::string(octets, static_cast<size_t>(size)) : std::string();
}

std::optional<int64_t> SqliteStatement::number(int column) const {
  if (sqlite3_column_type(statement_, column) == SQLITE_NULL) return std::nullopt;
  return sqlite3_column_int64(statement_, column);
}

}  // namespace policyd
