#include "policyd/report/report_table.h"

#include <utility>

namespace policyd {

ReportTable::Hour* ReportTable::hour(WallTime start) {
  if (hours_.size() >= bounds_.hours && !hours_.contains(start)) {
    if (start < hours_.begin()->first) return nullptr;
    hours_.erase(hours_.begin());
  }
  return &hours_[start];
}

ReportRows& ReportTable::writable(Rows& of) {
  if (std::exchange(of.handed_out, false)) of.rows = std::make_shared<ReportRows>(*of.rows);
  return *of.rows;
}

void ReportTable::add(const ReportRow& row) {
  const WallTime start = hour_of(row.hour);
  Hour* const held = hour(start);
  if (!held) return;
  ReportRows& rows = writable((*held)[static_cast<size_t>(row.kind)]);
  auto found = rows.find(row.name);
  if (found == rows.end()) {
    const bool full = rows.size() >= bounds_.names;
    found = rows.try_emplace(full ? std::string(kOther) : row.name).first;
  }
  policyd::add(found->second, row.figures);
  if (tracking_) changes_.emplace(start, row.kind, found->first);
}

ReportHours ReportTable::hours(ReportKind kind, WallTime since) {
  ReportHours all;
  for (auto hour = hours_.lower_bound(hour_of(since)); hour != hours_.end(); ++hour) {
    Rows& of = hour->second[static_cast<size_t>(kind)];
    if (of.rows->empty()) continue;
    of.handed_out = true;
    all.push_back({hour->first, of.rows});
  }
  return all;
}

void ReportTable::sweep(WallTime now) {
  hours_.erase(hours_.begin(), hours_.lower_bound(hour_of(now - kReportKept)));
}

std::vector<ReportRow> ReportTable::take(size_t most) {
  std::vector<ReportRow> taken;
  for (auto hour = hours_.begin(); hour != hours_.end(); hour = hours_.erase(hour)) {
    for (const ReportKind kind : kAllReportKinds) {
      ReportRows& rows = writable(hour->second[static_cast<size_t>(kind)]);
      while (!rows.empty()) {
        if (taken.size() == most) return taken;
        auto row = rows.extract(rows.begin());
        taken.push_back({kind, hour->first, std::move(row.key()), std::move(row.mapped())});
      }
    }
  }
  return taken;
}

size_t ReportTable::size() const {
  size_t rows = 0;
  for (const auto& [start, hour] : hours_) {
    for (const Rows& of : hour) rows += of.rows->size();
  }
  return rows;
}

std::vector<ReportRow> ReportTable::take_changes(size_t most) {
  std::vector<ReportRow> taken;
  while (!changes_.empty() && taken.size() < most) {
    auto [start, kind, name] = std::move(changes_.extract(changes_.begin()).value());
    const auto hour = hours_.find(start);
    if (hour == hours_.end()) continue;
    const auto& rows = *hour->second[static_cast<size_t>(kind)].rows;
    const auto row = rows.find(name);
    if (row != rows.end()) taken.push_back({kind, start, std::move(name), row->second});
  }
  return taken;
}

}  // namespace policyd
