// Hands what a worker has counted for reports to the store, every few seconds and at the end.
//
// What the store cannot take stays here, by the hour and bounded (report_table.h), and is handed over later; a batch of
// which it is not known whether the store has taken it is handed over again unchanged. A store that is away tells that
// itself; one log line says that it refuses reports, one that it takes them again, and one what is lost at the end.
#pragma once

#include <optional>
#include <random>
#include <string>

#include "policyd/async/task.h"
#include "policyd/async/timer.h"
#include "policyd/report/figures.h"
#include "policyd/report/report_table.h"
#include "policyd/report/tally.h"
#include "policyd/store/store.h"
#include "shared/clock.h"

struct uv_loop_s;

namespace policyd {

class Reporter {
 public:
  static constexpr Milliseconds kPeriod{5'000};
  static constexpr size_t kHours = 48;     // that wait for a store at most
  static constexpr size_t kBatch = 1'000;  // rows

  // All of it outlives the reporter.
  Reporter(uv_loop_s* loop, const Clock& clock, Tally& tally, Store& store);

  // Begins to hand over every kPeriod.
  void start();
  // Hands over all that was counted until now, unless that is under way.
  Task<void> hand_over();
  // The last time; nothing is counted any more.
  Task<void> stop();

 private:
  void note(const Result<void>& added);
  [[nodiscard]] size_t waiting() const { return backlog_.size() + batch_.rows.size(); }  // rows

  const Clock& clock_;
  Tally& tally_;
  Store& store_;
  ReportTable backlog_{{kReportNames, kHours}};
  ReportBatch batch_;  // taken out of the backlog, and not known to have been taken by the store
  std::mt19937_64 ids_;
  bool busy_ = false;
  std::string trouble_;  // why the store did not take the last batch; empty: it did
  bool refused_ = false;  // the log has said so
  std::optional<Task<void>> running_;
  Timer timer_;
};

}  // namespace policyd
