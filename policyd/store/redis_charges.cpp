#include "policyd/store/redis_charges.h"

#include <algorithm>

#include "policyd/store/redis_scripts.h"
#include "shared/log_line.h"

namespace policyd {

namespace {

constexpr const char* kGone = "the connection is gone";

// Errors of Redis as a whole, not of one command: their first word is what is stable.
bool means_away(std::string_view word) {
  constexpr std::string_view kWords[] = {"LOADING", "READONLY", "OOM", "BUSY", "MISCONF", "MASTERDOWN", "NOREPLICAS",
                                         "CLUSTERDOWN", "NOAUTH", "NOPERM", "WRONGPASS", "UNKILLABLE"};
  return std::find(std::begin(kWords), std::end(kWords), word) != std::end(kWords);
}

}  // namespace

RedisCharges::Call::Call(RedisCharges& charges, const Charge& charge, ChargeMode mode, WallTime at)
    : charge_(charge), mode_(mode), at_(at) {
  charges.gather(*this);
}

RedisCharges::Call::~Call() {
  if (run_) (*run_)[place_] = nullptr;
}

// The waiter may destroy this call as it goes on.
void RedisCharges::Call::answer(const Counted& counted) {
  run_ = nullptr;
  counted_ = counted;
  if (waiter_) waiter_.resume();
}

RedisCharges::RedisCharges(uv_loop_s* loop, const Keys& keys, std::string store, Away away)
    : keys_(keys),
      store_(std::move(store)),
      away_(std::move(away)),
      command_(keys_),
      patience_(loop, [this] { dispatch(); }) {}

RedisCharges::~RedisCharges() {
  for (const auto& run : runs_) {
    for (Call* call : run->calls) {
      if (call) call->run_ = nullptr;
    }
  }
}

void RedisCharges::attach(RedisConnection& connection, std::string sha) {
  connection_ = &connection;
  sha_ = std::move(sha);
  told_broken_ = false;
}

void RedisCharges::detach() {
  connection_ = nullptr;
  patience_.stop();
  Run* const gathered = std::exchange(gathered_, nullptr);
  if (!gathered) return;
  answer(*gathered, Error{kGone}, Outcome::away);
}

void RedisCharges::gather(Call& call) {
  if (!connection_) return;  // answered: away
  if (!gathered_) {
    gathered_ = &free_run();
    gathered_since_ = connection_->loop_time();
  }
  call.run_ = &gathered_->calls;
  call.place_ = gathered_->calls.size();
  gathered_->calls.push_back(&call);
  if (gathered_->calls.size() == ChargeCommand::kMost) dispatch();
}

RedisCharges::Run& RedisCharges::free_run() {
  auto found = std::find_if(runs_.begin(), runs_.end(), [](const auto& run) { return run->free; });
  if (found == runs_.end()) found = runs_.insert(runs_.end(), std::make_unique<Run>());
  (*found)->free = false;
  return **found;
}

void RedisCharges::end_of_turn() {
  if (!gathered_) return;
  if (in_flight_ < kInFlight) {
    dispatch();
  } else if (!patience_.active()) {
    patience_.once(kPatience);
  }
}

void RedisCharges::dispatch() {
  patience_.stop();
  Run& run = *std::exchange(gathered_, nullptr);
  forget_dropped(run);
  if (run.calls.empty()) {
    run.free = true;
    return;
  }
  // No more than what it may wait for here: when this process was held up itself, Redis still has its time to answer.
  const auto patience = static_cast<uint64_t>(kPatience.count());
  const uint64_t now = connection_->loop_time();
  run.sending.emplace(send(run, now - std::min(now - gathered_since_, patience)));
  run.sending->start();
}

Task<void> RedisCharges::send(Run& run, uint64_t asked_at) {
  ++in_flight_;
  bool sent = connection_->alive();
  auto call = transmit(run, asked_at, false);
  auto reply = co_await call;
  const bool forgotten = reply && reply->is_error() && reply->error_word() == "NOSCRIPT";
  if (forgotten) forget_dropped(run);
  if (forgotten && (!connection_ || run.calls.empty())) {
    reply = Error{kGone};
    sent = false;
  } else if (forgotten) {
    sent = connection_->alive();
    auto again = transmit(run, asked_at, true);
    reply = co_await again;
  }
  --in_flight_;
  // What has been gathered goes first: Redis counts it while those of this run are answered.
  if (gathered_ && connection_ && in_flight_ < kInFlight) {
    dispatch();
    connection_->flush();
  }
  answer(run, reply, sent ? Outcome::unknown : Outcome::away);
}

void RedisCharges::forget_dropped(Run& run) {
  std::erase(run.calls, nullptr);
  for (size_t place = 0; place < run.calls.size(); ++place) run.calls[place]->place_ = place;
}

// None of the run's calls has been dropped since forget_dropped().
RedisCall RedisCharges::transmit(const Run& run, uint64_t asked_at, bool with_source) {
  command_.clear();
  for (const Call* call : run.calls) command_.add(call->charge_, call->mode_, call->at_);
  const auto command = with_source ? command_.take("EVAL", kChargeScript) : command_.take("EVALSHA", sha_);
  return connection_->send_serialized(command, asked_at);
}

void RedisCharges::answer(Run& run, const Result<RedisReply>& reply, Outcome unanswered) {
  std::optional<ChargeAnswers> answers;
  Outcome outcome = unanswered;
  if (reply && reply->is_error()) {
    outcome = judge(reply->text);
  } else if (reply) {
    answers = ChargeAnswers::of(*reply, run.calls.size());
    if (!answers) outcome = judge("an answer that cannot be understood");
  }
  for (size_t place = 0; place < run.calls.size(); ++place) {
    const ChargeAnswer one = answers ? answers->next() : ChargeAnswer{};
    const bool failed = answers && one.kind == ChargeAnswer::Kind::failed;
    if (answers) outcome = failed ? judge(one.error) : Outcome::counted;
    if (outcome == Outcome::broken) ++broken_;
    Call* const call = run.calls[place];
    if (!call) continue;
    Counted counted{outcome, {}};
    if (outcome == Outcome::counted) counted.result = one.result(call->charge_);
    call->answer(counted);
  }
  run.calls.clear();
  run.free = true;
}

// A charge that Redis cannot count for a reason of its own is no reason to send the store away for everybody.
RedisCharges::Outcome RedisCharges::judge(std::string_view error) {
  if (means_away(RedisReply::first_word(error))) {
    away_(std::string(error));
    return Outcome::away;
  }
  if (!std::exchange(told_broken_, true)) {
    log_error("store {}: a charge could not be counted and was decided on this node alone: {}; "
              "until the next connection further ones are counted only (policyctl status)",
              store_, error);
  }
  return Outcome::broken;
}

}  // namespace policyd
