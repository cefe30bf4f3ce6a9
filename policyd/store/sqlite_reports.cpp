#include "policyd/store/sqlite_reports.h"

#include <algorithm>

#include "shared/report_period.h"

namespace policyd {

namespace {

int64_t oldest(WallTime now) { return hour_of(now - kReportKept).time_since_epoch().count(); }

}  // namespace

std::vector<ReportRow> load_reports(Sqlite& database, WallTime now, size_t& odd) {
  std::vector<ReportRow> rows;
  SqliteStatement row(database, "SELECT hour, kind, name, figures FROM reports WHERE hour >= ?");
  row.bind(oldest(now));
  while (row.step()) {
    const std::string name = row.text(1);
    const auto* const kind = std::find_if(kAllReportKinds.begin(), kAllReportKinds.end(),
                                          [&name](ReportKind each) { return report_kind_name(each) == name; });
    if (kind == kAllReportKinds.end()) {
      ++odd;
      continue;
    }
    rows.push_back({*kind, WallTime(Milliseconds(row.number(0).value_or(0))), row.text(2), parse_figures(row.text(3))});
  }
  return rows;
}

void write_reports(Sqlite& database, const std::vector<ReportRow>& rows) {
  SqliteStatement put(database, "INSERT OR REPLACE INTO reports VALUES(?, ?, ?, ?)");
  for (const ReportRow& row : rows) {
    const std::string figures = format_figures(row.figures);
    put.bind(row.hour.time_since_epoch().count()).bind(report_kind_name(row.kind)).bind(row.name).bind(figures);
    put.step();
    put.again();
  }
}

void drop_old_reports(Sqlite& database, WallTime now) {
  SqliteStatement reports(database, "DELETE FROM reports WHERE hour < ?");
  reports.bind(oldest(now)).step();
}

}  // namespace policyd
