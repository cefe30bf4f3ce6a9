#include "policyd/store/state_writer.h"

#include <utility>

#include "policyd/async/offload.h"
#include "shared/log_line.h"

namespace policyd {

// Waits until an order has its outcome.
struct StateWriter::Delivery {
  std::shared_ptr<Order> order;
  explicit Delivery(std::shared_ptr<Order> awaited) : order(std::move(awaited)) {}
  Delivery(const Delivery&) = delete;
  Delivery& operator=(const Delivery&) = delete;
  ~Delivery() { order->waiter = nullptr; }
  bool await_ready() const noexcept { return order->outcome.has_value(); }
  void await_suspend(std::coroutine_handle<> waiter) const noexcept { order->waiter = waiter; }
  Result<bool> await_resume() const { return std::move(*order->outcome); }
};

Task<Result<bool>> StateWriter::write(Work work, Effect effect) {
  Delivery delivery(std::make_shared<Order>(Order{std::move(work), std::move(effect), {}, {}}));
  orders_.push_back(delivery.order);
  wake();
  co_return co_await delivery;
}

void StateWriter::flush() {
  flush_due_ = true;
  wake();
}

Task<Result<void>> StateWriter::finish() {
  flush();
  EndOf ended{running_};
  co_await ended;
  if (batch_) co_return Error{trouble_};
  co_return Result<void>();
}

void StateWriter::wake() {
  if (running_ && !running_->done()) return;
  running_.emplace(run());
  running_->start();
}

Task<void> StateWriter::run() {
  while (!orders_.empty() || flush_due_) {
    if (!orders_.empty()) {
      std::shared_ptr<Order> order = std::move(orders_.front());
      orders_.pop_front();
      Task<void> carried_out = carry_out(std::move(order));
      co_await carried_out;
    } else {
      flush_due_ = false;
      Task<bool> batch = write_batch();
      const bool more = co_await batch;
      flush_due_ = flush_due_ || more;  // another flush may have been asked for meanwhile
    }
  }
}

Task<void> StateWriter::carry_out(std::shared_ptr<Order> order) {
  Task<Result<void>> work = on_pool(std::move(order->work));
  const Result<void> written = co_await work;
  order->outcome = written ? Result<bool>(order->effect()) : Result<bool>(written.error());
  if (auto waiter = std::exchange(order->waiter, nullptr)) waiter.resume();
}

Task<bool> StateWriter::write_batch() {
  if (!batch_) {
    Batch taken{tables_.ledger.take_seen(kBatch, clock_.wall()), tables_.ledger.take_changes(kBatch),
                tables_.greylist.take_changes(kBatch), tables_.reports.take_changes(kBatch)};
    if (!taken.empty()) batch_ = std::make_shared<const Batch>(std::move(taken));
  }
  const bool last = !batch_;
  Work job = [batch = batch_, now = clock_.wall()](StateFile& file) {
    if (!batch) return file.sweep(now);
    Result<void> written;
    if (!batch->elements.empty()) written = file.write_elements(batch->elements);
    if (written && !batch->counters.empty()) written = file.write_counters(batch->counters);
    if (written && !batch->greylist.empty()) written = file.write_greylist(batch->greylist);
    if (written && !batch->reports.empty()) written = file.write_reports(batch->reports);
    return written;
  };
  Task<Result<void>> work = on_pool(std::move(job));
  const Result<void> written = co_await work;
  if (written) batch_ = nullptr;
  co_return written.ok() && !last;
}

Task<Result<void>> StateWriter::on_pool(Work work) {
  Offload<Result<void>> offload(loop_, [file = file_, work = std::move(work)] { return work(*file); });
  Result<void> written = co_await offload;
  note(written);
  co_return written;
}

void StateWriter::note(const Result<void>& written) {
  const std::string before = std::exchange(trouble_, written ? "" : written.error().message);
  if (before.empty() && !trouble_.empty()) {
    log_error("store: {}; counters, locks, greylist and reports go on in memory, and writing is tried again",
              trouble_);
  } else if (!before.empty() && trouble_.empty()) {
    log_info("store: the state file can be written again");
  }
}

}  // namespace policyd
