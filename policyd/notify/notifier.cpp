#include "policyd/notify/notifier.h"

#include <algorithm>
#include <utility>

#include "policyd/notify/event.h"
#include "shared/block.h"  // format_time()
#include "shared/duration.h"
#include "shared/log_line.h"
#include "shared/text.h"

namespace policyd {

namespace {

// What an event is told once about: the account, else the node or list.
std::string subject_of(const Event& event) {
  if (!event.account.empty()) return event.account;
  for (const char* name : {"list", "node"}) {
    if (!event.details.is_object()) break;
    const auto found = event.details.find(name);
    if (found != event.details.end() && found->is_string()) return found->get<std::string>();
  }
  return {};
}

std::string what_of(EventKind kind, std::string_view subject) {
  return std::string(event_kind_name(kind)).append(":").append(subject);
}

// What may be noticed again and again, and on every node. A lock is made and ended once, and the store tells one node.
bool repeats(EventKind kind) { return kind != EventKind::lock && kind != EventKind::unlock; }

std::string line_of(const Event& event, const std::string& node, WallTime now) {
  const nlohmann::json object = {{"event", event_kind_name(event.kind)},
                                 {"account", event.account},
                                 {"text", event.text},
                                 {"node", node},
                                 {"time", format_time(now)},
                                 {"details", event.details.is_null() ? nlohmann::json::object() : event.details}};
  return object.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
}

}  // namespace

Notifier::Notifier(uv_loop_s* loop, const Clock& clock, Store& store, std::string node, Config::Notify config)
    : loop_(loop),
      clock_(clock),
      store_(store),
      node_(std::move(node)),
      config_(std::move(config)),
      next_(loop, [this] { start_next(); }) {}

uint64_t Notifier::key_of(std::string_view what) const { return stable_hash(what, seed_); }

bool Notifier::told(std::string_view what) const {
  const SteadyTime* const until = quiet_until_.find(key_of(what));
  return until && clock_.steady() < *until;
}

bool Notifier::wants(EventKind kind, std::string_view about) const {
  return !config_.command.empty() && !stopping_ && !(repeats(kind) && told(what_of(kind, about)));
}

void Notifier::tell(Event event) {
  const std::string what = what_of(event.kind, subject_of(event));
  if (config_.command.empty() || stopping_ || (repeats(event.kind) && told(what))) return;
  if (queue_.size() >= kMostWaiting) {
    if (dropped_++ > 0) return;
    log_error("notify: {} events wait to be told; further ones are told to nobody", kMostWaiting);
    return;
  }
  if (repeats(event.kind)) remember(what);
  queue_.push_back({what, repeats(event.kind), line_of(event, node_, clock_.wall())});
  schedule();
}

void Notifier::remember(std::string_view what) {
  const uint64_t key = key_of(what);
  SteadyTime* const known = quiet_until_.find(key);
  (known ? *known : quiet_until_.insert(key)) = clock_.steady() + config_.quiet;
}

// Never from within a decision: even where nothing else waits.
void Notifier::schedule() {
  if (next_.active()) return;
  next_.once(std::max(next_at_ - clock_.steady(), Milliseconds{0}));
}

size_t Notifier::running() const {
  return static_cast<size_t>(std::count_if(slots_.begin(), slots_.end(), [](const Slot& slot) { return slot.busy(); }));
}

void Notifier::start_next() {
  const auto free = std::find_if(slots_.begin(), slots_.end(), [](const Slot& slot) { return !slot.busy(); });
  if (stopping_ || queue_.empty() || free == slots_.end()) return;
  Waiting event = std::move(queue_.front());
  queue_.pop_front();
  if (dropped_ > 0 && queue_.empty()) {
    log_error("notify: {} events were told to nobody", std::exchange(dropped_, 0));
  }
  next_at_ = clock_.steady() + kPace;
  free->task.emplace(run(*free, std::move(event)));
  free->task->start();
  if (!queue_.empty()) schedule();
}

// Its slot is free once this has ended, which the timer finds out: so one is set off before.
Task<void> Notifier::run(Slot& slot, Waiting event) {
  bool ours = true;
  if (event.repeats) {
    const auto claiming = store_.claim(event.what, config_.quiet);
    ours = co_await claiming;
    remember(event.what);  // the store does from now on: what is wanted again here must be so there
  }
  if (ours && !stopping_ && !config_.command.empty()) {
    Process process(loop_, config_.command, std::move(event.json), config_.timeout);
    slot.process = &process;
    const ProcessEnd end = co_await process;
    slot.process = nullptr;
    log_end(event.what, end);
  }
  if (!queue_.empty()) schedule();
}

void Notifier::log_end(const std::string& what, const ProcessEnd& end) const {
  const std::string& command = config_.command.empty() ? std::string() : config_.command.front();
  std::string how;
  if (!end.trouble.empty()) {
    how = "cannot be started: " + end.trouble;
  } else if (end.timed_out) {
    how = "took longer than " + format_duration(config_.timeout) + " and was ended";
  } else if (end.ended_early) {
    how = "was ended";
  } else if (end.signal != 0) {
    how = "was ended by signal " + std::to_string(end.signal);
  } else if (end.exit_status != 0) {
    how = "ended with exit status " + std::to_string(end.exit_status);
  } else {
    return log_info("notify: {} was told", policyd::quoted(what));
  }
  if (!end.said.empty()) how.append(": ").append(policyd::quoted(end.said));
  log_error("notify: {} was not told: {} {}", policyd::quoted(what), command, how);
}

Task<void> Notifier::stop() {
  stopping_ = true;
  next_.stop();
  if (!queue_.empty()) log_warning("notify: {} events are told to nobody: policyd ends", queue_.size());
  for (const Slot& slot : slots_) {
    if (slot.process) slot.process->end();
  }
  for (const Slot& slot : slots_) {
    EndOf ended{slot.task};
    co_await ended;
  }
}

}  // namespace policyd
