#include "policyd/store/redis.h"

#include <deque>

#include "policyd/async/loop.h"
#include "policyd/store/redis_scripts.h"
#include "shared/log_line.h"
#include "shared/text.h"

namespace policyd {

namespace {

constexpr Milliseconds kPatienceAtStart{3000};
constexpr Milliseconds kPatienceAtStop{5000};
constexpr int kSweepMirror = 60;  // heartbeats
constexpr size_t kMergeBatch = 256;
constexpr Milliseconds kMargin{60'000};  // by which a message is held to be forgotten early

}  // namespace

RedisStore::RedisStore(uv_loop_s* loop, const Clock& clock, Mirror& mirror, const Config::Store& config, Self self)
    : loop_(loop),
      clock_(clock),
      mirror_(mirror),
      config_(config),
      self_(std::move(self)),
      keys_(config.prefix),
      follower_(loop, clock, mirror, keys_, [this](const std::string& account) { lock_gone(account); }),
      link_(loop, clock, config_, keys_, *this),
      charges_(loop, keys_, config_.url.to_string(), [this](const std::string& reason) { link_.refused(reason); }),
      greylist_(keys_, config_.url.to_string()) {}

// What waits goes first, then what it waits for.
RedisStore::~RedisStore() {
  follower_.detach();
  link_.close();
  charges_.detach();
  greylist_.detach();
}

Result<void> RedisStore::start() {
  link_.start();
  const SteadyTime patience = clock_.steady() + kPatienceAtStart;
  run_loop_until(loop_, [&] {
    return (link_.serving() && follower_.loaded()) || clock_.steady() >= patience || link_.waiting();
  });
  if (!link_.serving()) {
    log_error("store {}: away: {}; blocks are not known yet, and limits are enforced on this node alone, "
              "until it is back",
              config_.url.to_string(), link_.reason());
  }
  return {};
}

// A merge under way goes on: what it has taken is only Redis' when Redis has answered.
Task<void> RedisStore::stop() {
  link_.stop();
  merge_until_ = clock_.steady() + kPatienceAtStop;
  auto recovered = link_.recovered();
  co_await recovered;
  bool merged = link_.state() == RedisLink::State::open || link_.serving();
  while (merged && share_.pending() > 0 && clock_.steady() < merge_until_) {
    const auto merging = merge(kMergeBatch);
    merged = co_await merging;
  }
  if (pending() > 0) {
    log_error("store {}: {} charges counted on this node alone could not be merged", config_.url.to_string(),
              pending());
  }
  const auto writing_locks = write_held_locks();
  co_await writing_locks;
  tell_lost_locks();
  if (!link_.serving()) co_return;
  auto call = link_.data().send({"HDEL", keys_.nodes(), self_().id});
  co_await call;
}

void RedisStore::opened(RedisConnection& data, const std::string& charge_sha) {
  follower_.attach(data);
  charges_.attach(data, charge_sha);
  greylist_.attach(data);
}

void RedisStore::closed() {
  follower_.detach();
  charges_.detach();
  greylist_.detach();
}

void RedisStore::beat() {
  share_.sweep(clock_.wall());
  if (++beats_ % kSweepMirror == 0) mirror_.sweep();
}

Task<std::optional<size_t>> RedisStore::catch_up() {
  const size_t to_merge = share_.pending();
  while (share_.pending() > kMergeBatch) {
    if (clock_.steady() >= merge_until_) co_return std::nullopt;
    const auto merging = merge(kMergeBatch);
    if (!co_await merging) co_return std::nullopt;
  }
  co_return to_merge;
}

Task<void> RedisStore::caught_up() {
  if (const uint64_t dropped = share_.dropped() - std::exchange(told_dropped_, share_.dropped()); dropped > 0) {
    log_error("store {}: {} charges were too many to keep for the merge", config_.url.to_string(), dropped);
  }
  const auto merging = merge(share_.pending());
  co_await merging;
}

// What Redis may have counted already, and what belongs to a message of which it may have counted something, is counted
// only while it would know the message again: rather too little than twice.
ChargeMode RedisStore::mode_of(const LocalShare::Entry& entry) const {
  if (entry.kind == Charge::Kind::give_back) return ChargeMode::live;
  const auto sent = entry.sent ? entry.sent : last_sent(entry.charge());
  if (!sent) return ChargeMode::merge;
  const Milliseconds remembered = entry.ended ? kEndedRemembered : kRemembered;
  const bool known = !entry.instance.empty() && clock_.wall() - *sent < remembered - kMargin;
  return known ? ChargeMode::merge : ChargeMode::merge_known;
}

uint64_t RedisStore::message_of(const Charge& charge) const {
  return stable_hash(charge.instance, stable_hash(charge.account, seed_));
}

void RedisStore::note_sent(const Charge& charge) {
  if (charge.instance.empty() || charge.dry_run) return;
  const uint64_t message = message_of(charge);
  WallTime* const known = sent_.find(message);
  (known ? *known : sent_.insert(message)) = clock_.wall();
}

std::optional<WallTime> RedisStore::last_sent(const Charge& charge) const {
  const WallTime* const known = charge.instance.empty() ? nullptr : sent_.find(message_of(charge));
  return known ? std::optional(*known) : std::nullopt;
}

Task<bool> RedisStore::merge(size_t most) {
  using Outcome = RedisCharges::Outcome;
  std::vector<LocalShare::Entry> entries = share_.take(most);
  merging_ += entries.size();
  std::vector<Charge> charges;
  charges.reserve(entries.size());
  std::deque<RedisCharges::Call> calls;  // where it stands it stays
  for (const auto& entry : entries) {
    const Charge& charge = charges.emplace_back(entry.charge());
    calls.emplace_back(charges_, charge, mode_of(entry), entry.at + link_.nodes().redis_ahead());
  }
  std::vector<LocalShare::Entry> failed;
  for (size_t i = 0; i < entries.size(); ++i) {
    RedisCharges::Call& call = calls[i];
    const auto counted = co_await call;
    if (counted.outcome == Outcome::counted || counted.outcome == Outcome::unknown) note_sent(charges[i]);
    if (counted.outcome == Outcome::unknown && !entries[i].sent) entries[i].sent = clock_.wall();
    if (counted.outcome == Outcome::away || counted.outcome == Outcome::unknown) {
      failed.push_back(std::move(entries[i]));
    } else {
      --merging_;
    }
  }
  merging_ -= failed.size();
  const bool merged = failed.empty();
  if (!merged) share_.put_back(std::move(failed));
  co_return merged;
}

Task<ChargeResult> RedisStore::charge(const Charge& charge) {
  std::optional<WallTime> sent;
  if (link_.serving()) {
    RedisCharges::Call call(charges_, charge, charge.dry_run ? ChargeMode::dry : ChargeMode::live);
    const auto counted = co_await call;
    if (counted.outcome == RedisCharges::Outcome::counted) {
      if (counted.result.passed) note_sent(charge);
      co_return counted.result;
    }
    if (counted.outcome == RedisCharges::Outcome::broken) {
      co_return share_.charge_unmerged(charge, link_.nodes().most(), clock_.wall());
    }
    if (counted.outcome == RedisCharges::Outcome::unknown) {
      note_sent(charge);
      sent = clock_.wall();
    }
  }
  if (!sent) sent = last_sent(charge);
  co_return share_.charge(charge, link_.nodes().most(), clock_.wall(), sent);
}

Task<GreylistResult> RedisStore::greylist(const GreylistAttempt& attempt) {
  if (!link_.serving()) co_return GreylistResult{};
  const auto asking = greylist_.ask(attempt);
  co_return co_await asking;
}

}  // namespace policyd
