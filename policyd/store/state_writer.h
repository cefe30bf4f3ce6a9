// Everything that the embedded store writes to its file, in the order asked for, without holding up the loop.
//
// One job at a time runs on the thread pool; what a person asked for goes before counters, greylist and reports, which
// are taken from their tables in batches. What was written takes effect even if the one who asked has given up
// waiting by then: file and memory stay alike. A batch that cannot be written is kept and tried again at the next
// flush. One log line says that the file cannot be written, one that it can again.
#pragma once

#include <coroutine>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "policyd/async/task.h"
#include "policyd/report/report_table.h"
#include "policyd/store/greylist_table.h"
#include "policyd/store/ledger.h"
#include "policyd/store/state_file.h"
#include "shared/clock.h"
#include "shared/result.h"

struct uv_loop_s;

namespace policyd {

class StateWriter {
 public:
  using Work = std::function<Result<void>(StateFile&)>;  // on the thread pool
  using Effect = std::function<bool()>;                  // on the loop, once the work has been done

  // Accounts, greylist records and rows of reports, per transaction: they are copied on the loop, which they may not
  // hold up.
  static constexpr size_t kBatch = 2048;

  // What is taken from; outlives the writer.
  struct Tables {
    Ledger& ledger;
    GreylistTable& greylist;
    ReportTable& reports;
  };

  // `clock` outlives the writer.
  StateWriter(uv_loop_s* loop, const Clock& clock, std::shared_ptr<StateFile> file, const Tables& tables)
      : loop_(loop), clock_(clock), file_(std::move(file)), tables_(tables) {}

  // Yields what `effect` returned, or why the work failed (there is no effect then). Whoever is woken by this does not
  // destroy the writer before it has gone back to the loop; finish() allows that.
  Task<Result<bool>> write(Work work, Effect effect);

  // Begins to write what has changed in the tables.
  void flush();
  // Ends when everything asked for, and all that has changed in the tables, has been written or could not be; the
  // latter is an Error.
  Task<Result<void>> finish();

  // Why the file cannot be written; empty: it can.
  [[nodiscard]] const std::string& trouble() const { return trouble_; }

 private:
  struct Order {
    Work work;
    Effect effect;
    std::optional<Result<bool>> outcome;
    std::coroutine_handle<> waiter;
  };
  struct Delivery;
  // Taken from the tables, to be written together.
  struct Batch {
    StateFile::ElementBatch elements;
    StateFile::CounterBatch counters;
    StateFile::GreylistBatch greylist;
    std::vector<ReportRow> reports;
    [[nodiscard]] bool empty() const {
      return elements.empty() && counters.empty() && greylist.empty() && reports.empty();
    }
  };

  void wake();
  Task<void> run();
  Task<void> carry_out(std::shared_ptr<Order> order);
  Task<bool> write_batch();  // false: there is nothing more to be done now
  Task<Result<void>> on_pool(Work work);
  void note(const Result<void>& written);

  uv_loop_s* loop_;
  const Clock& clock_;
  std::shared_ptr<StateFile> file_;  // shared with the job under way, which may outlive the writer
  const Tables tables_;
  std::deque<std::shared_ptr<Order>> orders_;
  std::shared_ptr<const Batch> batch_;  // not written yet
  bool flush_due_ = false;
  std::string trouble_;
  std::optional<Task<void>> running_;
};

}  // namespace policyd
