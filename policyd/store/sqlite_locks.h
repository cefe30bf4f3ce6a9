// Locks in the state file: what is known of each account, and the history; how they are read and written.
//
// Part of sqlite_file.cpp, which holds the lock and asks the database how it went.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "policyd/locks/lock_rules.h"
#include "policyd/store/sqlite.h"
#include "shared/clock.h"

namespace policyd {

// Times are ms since 1970. locked: 1 where there is a lock, whose columns follow; unlocks and ended are those of the
// record, before is the lock's own count.
inline constexpr const char* kCreateLocks =
    "CREATE TABLE IF NOT EXISTS locks(account TEXT NOT NULL PRIMARY KEY, unlocks INTEGER NOT NULL, ended INTEGER,"
    " locked INTEGER NOT NULL, reason TEXT NOT NULL, evidence TEXT NOT NULL, since INTEGER, until INTEGER,"
    " before INTEGER NOT NULL, \"by\" TEXT NOT NULL, node TEXT NOT NULL) WITHOUT ROWID";
inline constexpr const char* kCreateLockEvents =
    "CREATE TABLE IF NOT EXISTS lock_events(account TEXT NOT NULL, number INTEGER NOT NULL, event TEXT NOT NULL,"
    " at INTEGER NOT NULL, who TEXT NOT NULL, reason TEXT NOT NULL, evidence TEXT NOT NULL, since INTEGER,"
    " until INTEGER, before INTEGER NOT NULL, \"by\" TEXT NOT NULL, node TEXT NOT NULL,"
    " PRIMARY KEY(account, number)) WITHOUT ROWID";

std::vector<std::pair<std::string, LockRecord>> load_locks(Sqlite& database);
// In place of what is there; within the caller's transaction.
void write_locks(Sqlite& database, const std::string& account, const LockRecord& record);
void drop_old_locks(Sqlite& database, WallTime now);

}  // namespace policyd
