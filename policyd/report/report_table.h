// Rows of reports in memory, by the hour: those of the embedded store, and those that wait to be handed to a store.
//
// Bounded: so many names of a kind in an hour, so many hours; what is too much is counted as kOther, and of hours the
// oldest goes. One thread; no clock: times are given. hours() hands out rows that are never written to again, so that
// any thread may read them.
#pragma once

#include <array>
#include <map>
#include <memory>
#include <set>
#include <tuple>
#include <vector>

#include "policyd/report/figures.h"
#include "shared/report_period.h"

namespace policyd {

class ReportTable {
 public:
  struct Bounds {
    size_t names = kReportNames;
    size_t hours = kReportKept / std::chrono::hours(1) + 2;
  };
  explicit ReportTable(Bounds bounds) : bounds_(bounds) {}
  ReportTable(const ReportTable&) = delete;
  ReportTable& operator=(const ReportTable&) = delete;

  void add(const ReportRow& row);
  // The rows of a kind, from the hour that `since` lies in.
  [[nodiscard]] ReportHours hours(ReportKind kind, WallTime since);
  // Forgets the hours that are older than kReportKept.
  void sweep(WallTime now);

  // Takes rows out, the oldest hours first, at most `most` of them.
  std::vector<ReportRow> take(size_t most);
  [[nodiscard]] size_t size() const;  // rows

  // For durability: rows that have changed since they were last taken, at most `most` of them, as they are now.
  void track_changes() { tracking_ = true; }
  std::vector<ReportRow> take_changes(size_t most);

 private:
  // Copied before they are written to once they have been handed out.
  struct Rows {
    std::shared_ptr<ReportRows> rows = std::make_shared<ReportRows>();
    bool handed_out = false;
  };
  using Hour = std::array<Rows, kReportKinds>;

  // Null: it is older than all of as many hours as are kept.
  Hour* hour(WallTime start);
  static ReportRows& writable(Rows& of);

  const Bounds bounds_;
  std::map<WallTime, Hour> hours_;
  bool tracking_ = false;
  std::set<std::tuple<WallTime, ReportKind, std::string>> changes_;
};

}  // namespace policyd
