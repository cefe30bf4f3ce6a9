// What accounts are counted in the state file, counters and elements of signs: two tables of one shape, an account and
// its octets, and how they are read and written.
//
// Part of sqlite_file.cpp, which holds the lock and asks the database how it went.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "policyd/store/sqlite.h"
#include "policyd/store/state_file.h"

namespace policyd {

inline constexpr const char* kCreateCounters =
    "CREATE TABLE IF NOT EXISTS counters(account TEXT NOT NULL PRIMARY KEY, cells BLOB NOT NULL) WITHOUT ROWID";
inline constexpr const char* kCreateElements =
    "CREATE TABLE IF NOT EXISTS elements(account TEXT NOT NULL PRIMARY KEY, seen BLOB NOT NULL) WITHOUT ROWID";

// What is damaged is left out, and `damaged` has the accounts.
std::vector<std::pair<std::string, Counters>> load_counters(Sqlite& database, std::vector<std::string>& damaged);
std::vector<std::pair<std::string, SeenElements>> load_elements(Sqlite& database, std::vector<std::string>& damaged);
// Within the caller's transaction; an account with nothing is forgotten.
void write_counters(Sqlite& database, const StateFile::CounterBatch& batch);
void write_elements(Sqlite& database, const StateFile::ElementBatch& batch);

}  // namespace policyd
