// The journal in the state file: its table, and how rows are added, bounded and read.
//
// Part of sqlite_file.cpp, which holds the lock and the transaction and asks the database how it went.
#pragma once

#include <cstdint>
#include <optional>

#include "policyd/journal/rows.h"
#include "policyd/store/sqlite.h"
#include "shared/clock.h"

namespace policyd {

// place: ms since 1970 times 2^20, and a number within the millisecond; id: JournalId::number().
inline constexpr const char* kCreateJournal =
    "CREATE TABLE IF NOT EXISTS journal(place INTEGER PRIMARY KEY, id INTEGER NOT NULL, node TEXT NOT NULL,"
    " entry TEXT NOT NULL);"
    "CREATE UNIQUE INDEX IF NOT EXISTS journal_id ON journal(id, node)";

class SqliteJournal {
 public:
  // `database` outlives it.
  explicit SqliteJournal(Sqlite& database) : database_(database) {}

  // Within the caller's transaction; a row that is there is not added again.
  void add(const JournalBatch& batch, WallTime now);
  JournalPage read(const JournalRange& range);
  // The transaction has failed: what was counted in it does not hold.
  void forget() { rows_.reset(); }

 private:
  Sqlite& database_;
  std::optional<int64_t> rows_;  // in the table, once they have been counted
};

}  // namespace policyd
