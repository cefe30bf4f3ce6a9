#include "policyd/report/reporter.h"

#include <utility>

#include "policyd/async/busy.h"
#include "policyd/recent_table.h"  // random_seed()
#include "shared/log_line.h"

namespace policyd {

Reporter::Reporter(uv_loop_s* loop, const Clock& clock, Tally& tally, Store& store)
    : clock_(clock), tally_(tally), store_(store), ids_(random_seed()), timer_(loop, [this] {
        if (busy_) return;
        running_.emplace(hand_over());
        running_->start();
      }) {}

void Reporter::start() { timer_.every(kPeriod); }

Task<void> Reporter::hand_over() {
  tally_.drain(clock_.wall(), backlog_);
  if (busy_) co_return;
  const Busy busy(busy_);
  for (;;) {
    if (batch_.rows.empty()) batch_ = {ids_(), backlog_.take(kBatch)};
    if (batch_.rows.empty()) co_return;
    const auto adding = store_.add_report(batch_);
    const auto added = co_await adding;
    note(added);
    if (!added) co_return;
    batch_.rows.clear();
  }
}

Task<void> Reporter::stop() {
  timer_.stop();
  EndOf ended{running_};
  co_await ended;
  const auto last = hand_over();
  co_await last;
  if (waiting() == 0) co_return;
  log_error("reports: {} rows of figures could not be handed to the store and are lost: {}", waiting(), trouble_);
}

void Reporter::note(const Result<void>& added) {
  trouble_ = added ? "" : added.error().message;
  if (!added && store_.status().available && !std::exchange(refused_, true)) {
    log_error("reports: the store does not take them, and they wait: {}", trouble_);
  } else if (added && std::exchange(refused_, false)) {
    log_info("reports: the store takes them again");
  }
}

}  // namespace policyd
