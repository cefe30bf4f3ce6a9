#include "policyd/journal/journal.h"

#include <new>
#include <utility>

#include "policyd/async/busy.h"
#include "policyd/async/offload.h"
#include "shared/log_line.h"
#include "shared/protocol.h"
#include "shared/text.h"

namespace policyd {

namespace {

// The longest that comes before a text is "DEFER_IF_PERMIT ".
constexpr size_t kLongestText = kLongestAction - std::string_view("DEFER_IF_PERMIT ").size();

}  // namespace

Journal::Journal(uv_loop_s* loop, const Clock& clock, Store& store, std::string node, size_t most_memory)
    : loop_(loop),
      clock_(clock),
      store_(store),
      node_(std::move(node)),
      most_memory_(most_memory),
      ids_(random_seed()),
      timer_(loop, [this] { tick(); }) {}

void Journal::reconfigure(const Config::Journal& settings) {
  settings_ = settings;
  redactor_ = settings.redact_key.empty() ? nullptr : std::make_shared<const Redactor>(settings.redact_key);
}

void Journal::start() { timer_.every(kPeriod); }

void Journal::record(const Request& request, Verdict& verdict) noexcept try {
  if (!settings_.enabled) return;
  const bool known_again = !request.instance().empty();
  const uint64_t key = known_again ? decision_key(request, verdict) : 0;
  const JournalId* const earlier = known_again ? decisions_.find(key) : nullptr;
  const JournalId id = earlier ? *earlier : ids_.next(clock_.wall());
  verdict.id = id.to_string();
  verdict.text = with_id(verdict.text, verdict.id, kLongestText);
  if (earlier) return;
  if (known_again) decisions_.insert(key) = id;
  if (verdict.action == Action::hold) note_held(request);
  enqueue({id, JournalRecord::Kind::decision, RecordedRequest(request), journaled(verdict)});
} catch (const std::bad_alloc&) {
  ++lost_;
}

// Postfix opens the queue file for the first recipient that it accepts: only what it asks after that has a queue id.
void Journal::note_held(const Request& request) {
  if (request.instance().empty() || !request.get(Attribute::queue_id).empty()) return;
  const uint64_t key = message_key(request);
  if (!held_.find(key)) held_.insert(key);
  holding_ = true;
}

void Journal::note_queue_id(const Request& request) noexcept try {
  if (!holding_ || request.get(Attribute::queue_id).empty() || request.instance().empty()) return;
  Held* const held = held_.find(message_key(request));
  if (!held || std::exchange(held->told, true)) return;
  enqueue({ids_.next(clock_.wall()), JournalRecord::Kind::queued, RecordedRequest(request), {}});
} catch (const std::bad_alloc&) {
  ++lost_;
}

uint64_t Journal::message_key(const Request& request) const {
  return stable_hash(request.instance(), stable_hash(request.client_address(), seed_));
}

uint64_t Journal::decision_key(const Request& request, const Verdict& verdict) const {
  const uint64_t key = stable_hash(request.recipient(), message_key(request));
  const auto state = static_cast<uint64_t>(request.state()), action = static_cast<uint64_t>(verdict.action);
  return key + (state * kActions + action) * kCauses + static_cast<uint64_t>(verdict.cause);
}

void Journal::enqueue(JournalRecord record) {
  memory_ += record.memory();
  queue_.push_back(std::move(record));
  ++queued_;
  while (memory_ > most_memory_ && !queue_.empty()) {
    memory_ -= queue_.front().memory();
    queue_.pop_front();
    ++lost_;
  }
}

void Journal::tick() {
  if (busy_ || (queue_.empty() && batch_.empty()) || clock_.steady() < pause_until_) return;
  running_.emplace(hand_over());
  running_->start();
}

Task<void> Journal::hand_over() {
  const uint64_t last = queued_;
  const bool waited = busy_;
  while (busy_ && settled() < last) {
    auto ending = idle_.wait();
    co_await ending;
  }
  if (settled() >= last) co_return;
  if (waited && !trouble_.empty()) co_return;  // it would be so again
  {
    const Busy busy(busy_);
    const auto handing_over = hand_over_until(last);
    co_await handing_over;
  }
  idle_.wake();
}

Task<void> Journal::hand_over_until(uint64_t last) {
  while (settled() < last) {
    if (batch_.empty()) {
      const auto making = make_rows();
      co_await making;
    }
    JournalBatch batch{batch_, settings_.keep, settings_.max};
    const auto adding = store_.add_journal(std::move(batch));
    const auto added = co_await adding;
    note(added);
    if (!added) co_return;
    written_ += batch_.size();
    batch_.clear();
  }
}

// What is out of the queue is older than what is in it.
uint64_t Journal::settled() const {
  return making_ + batch_.size() > 0 ? before_batch_ : queued_ - queue_.size();
}

Task<void> Journal::make_rows() {
  before_batch_ = queued_ - queue_.size();
  auto records = std::make_shared<std::vector<JournalRecord>>();
  while (!queue_.empty() && records->size() < kBatch) {
    memory_ -= queue_.front().memory();
    records->push_back(std::move(queue_.front()));
    queue_.pop_front();
  }
  Offload<std::vector<JournalRow>> making(
      loop_, [records, node = node_, redactor = settings_.redact ? redactor_ : nullptr] {
        std::vector<JournalRow> rows;
        rows.reserve(records->size());
        for (const JournalRecord& record : *records) {
          rows.push_back({record.id, node, journal_text(record, node, redactor.get())});
        }
        records->clear();  // what was allocated is given back here, not on the loop
        return rows;
      });
  making_ = records->size();
  batch_ = co_await making;
  making_ = 0;
}

Task<void> Journal::stop() {
  timer_.stop();
  EndOf ended{running_};
  co_await ended;
  const auto last = hand_over();
  co_await last;
  if (status().waiting == 0) co_return;
  log_error("journal: {} entries could not be handed to the store and are lost: {}", status().waiting, trouble_);
}

void Journal::note(const Result<void>& added) {
  const std::string before = std::exchange(trouble_, added ? "" : added.error().message);
  if (!added) {
    pause_until_ = clock_.steady() + kPause;
    // A store that is about to be away says so a moment later: what it refuses it refuses twice.
    const bool refuses = !before.empty() && store_.status().available;
    if (!refuses || std::exchange(refused_, true)) return;
    log_error("journal: the store does not take it: {}; entries wait, and the oldest go where they are too many",
              trouble_);
    return;
  }
  const uint64_t lost = lost_ - std::exchange(told_lost_, lost_);
  const bool refused = std::exchange(refused_, false);
  if (refused || lost > 0) log_info("journal: the store takes it again; {} entries were too many to wait", lost);
}

JournalStatus Journal::status() const {
  return {settings_.enabled, written_, queue_.size() + making_ + batch_.size(), lost_, trouble_};
}

}  // namespace policyd
