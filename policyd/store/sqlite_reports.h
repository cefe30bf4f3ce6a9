// The rows of reports in the state file: their table, and how they are read and written.
//
// Part of sqlite_file.cpp, which holds the lock and asks the database how it went.
#pragma once

#include <string>
#include <vector>

#include "policyd/report/figures.h"
#include "policyd/store/sqlite.h"
#include "shared/clock.h"

namespace policyd {

// hour: ms since 1970; figures: as format_figures() writes them.
inline constexpr const char* kCreateReports =
    "CREATE TABLE IF NOT EXISTS reports(hour INTEGER NOT NULL, kind TEXT NOT NULL, name TEXT NOT NULL,"
    " figures TEXT NOT NULL, PRIMARY KEY(hour, kind, name)) WITHOUT ROWID";

// The rows of the last kReportKept; `odd` is how many were of an unknown kind.
std::vector<ReportRow> load_reports(Sqlite& database, WallTime now, size_t& odd);
// Within the caller's transaction.
void write_reports(Sqlite& database, const std::vector<ReportRow>& rows);
void drop_old_reports(Sqlite& database, WallTime now);

}  // namespace policyd
