// The greylist's records in the state file: their table, and how they are read and written.
//
// Part of sqlite_file.cpp, which holds the lock and asks the database how it went. The file holds no more records of a
// kind than memory does: those that were written and then forgotten for want of room are the oldest, and go.
#pragma once

#include <vector>

#include "policyd/store/greylist_table.h"
#include "policyd/store/sqlite.h"
#include "shared/clock.h"

namespace policyd {

// Times are ms since 1970.
inline constexpr const char* kCreateGreylist =
    "CREATE TABLE IF NOT EXISTS greylist(key TEXT NOT NULL PRIMARY KEY, kind TEXT NOT NULL, at INTEGER NOT NULL,"
    " until INTEGER NOT NULL, message INTEGER NOT NULL, count INTEGER NOT NULL) WITHOUT ROWID;"
    "CREATE INDEX IF NOT EXISTS greylist_expiry ON greylist(until);"
    "CREATE INDEX IF NOT EXISTS greylist_age ON greylist(kind, at)";

// Those that have not run out, in the order of their times, and of each kind the newest, as many as `most` says; `odd`
// is how many were of an unknown kind.
std::vector<GreylistRecord> load_greylist(Sqlite& database, WallTime now, const GreylistTable::Bounds& most,
                                          size_t& odd);
// Within the caller's transaction.
void write_greylist(Sqlite& database, const std::vector<GreylistRecord>& records);
// Drops what has run out, and of each kind the oldest above `most`.
void sweep_greylist(Sqlite& database, WallTime now, const GreylistTable::Bounds& most);

}  // namespace policyd
