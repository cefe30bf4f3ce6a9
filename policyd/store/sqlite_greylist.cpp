#include "policyd/store/sqlite_greylist.h"

#include <algorithm>
#include <array>
#include <string>

namespace policyd {

namespace {

// As they stand in the file; by kind.
constexpr std::array<std::string_view, GreylistRecord::kKinds> kKinds = {"waiting", "passed", "client"};

}  // namespace

std::vector<GreylistRecord> load_greylist(Sqlite& database, WallTime now, const GreylistTable::Bounds& most,
                                          size_t& odd) {
  std::vector<GreylistRecord> records;
  std::array<size_t, GreylistRecord::kKinds> taken{};
  SqliteStatement row(database,
                      "SELECT key, kind, at, until, message, count FROM greylist WHERE until >= ?"
                      " ORDER BY at DESC, key DESC");
  row.bind(now.time_since_epoch().count());
  while (row.step()) {
    const std::string name = row.text(1);
    const auto* const kind = std::find(kKinds.begin(), kKinds.end(), name);
    if (kind == kKinds.end()) {
      ++odd;
      continue;
    }
    const auto place = static_cast<size_t>(kind - kKinds.begin());
    if (taken[place] == most[place]) continue;
    ++taken[place];
    GreylistRecord record;
    record.key = row.text(0);
    record.kind = static_cast<GreylistRecord::Kind>(place);
    record.at = WallTime(Milliseconds(row.number(2).value_or(0)));
    record.until = WallTime(Milliseconds(row.number(3).value_or(0)));
    record.message = static_cast<uint64_t>(row.number(4).value_or(0));
    record.count = row.number(5).value_or(0);
    records.push_back(std::move(record));
  }
  std::reverse(records.begin(), records.end());
  return records;
}

void write_greylist(Sqlite& database, const std::vector<GreylistRecord>& records) {
  SqliteStatement row(database, "INSERT OR REPLACE INTO greylist VALUES(?, ?, ?, ?, ?, ?)");
  for (const GreylistRecord& record : records) {
    row.bind(record.key).bind(kKinds[static_cast<size_t>(record.kind)]);
    row.bind(record.at.time_since_epoch().count()).bind(record.until.time_since_epoch().count());
    row.bind(static_cast<int64_t>(record.message)).bind(record.count);
    row.step();
    row.again();
  }
}

void sweep_greylist(Sqlite& database, WallTime now, const GreylistTable::Bounds& most) {
  SqliteStatement out(database, "DELETE FROM greylist WHERE until < ?");
  out.bind(now.time_since_epoch().count()).step();
  SqliteStatement surplus(database,
                          "DELETE FROM greylist WHERE kind = ?1 AND at <="
                          " (SELECT at FROM greylist WHERE kind = ?1 ORDER BY at DESC LIMIT 1 OFFSET ?2)");
  for (size_t kind = 0; kind < kKinds.size(); ++kind) {
    surplus.bind(kKinds[kind]).bind(static_cast<int64_t>(most[kind])).step();
    surplus.again();
  }
}

}  // namespace policyd
