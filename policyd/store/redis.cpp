#include "policyd/store/redis.h"

#include <spdlog/spdlog.h>

#include <deque>

#include "policyd/async/loop.h"

namespace policyd {

namespace {

constexpr Milliseconds kPatienceAtStart{3000};
constexpr Milliseconds kPatienceAtStop{5000};
constexpr int kSweepMirror = 60;  // heartbeats
constexpr size_t kMergeBatch = 256;

}  // namespace

RedisStore::RedisStore(uv_loop_s* loop, const Clock& clock, Mirror& mirror, const Config::Store& config, Self self)
    : loop_(loop),
      clock_(clock),
      mirror_(mirror),
      config_(config),
      self_(std::move(self)),
      keys_(config.prefix),
      follower_(loop, clock, mirror, keys_),
      link_(loop, clock, config_, keys_, *this),
      charges_(loop, keys_, config_.url.to_string(), [this](const std::string& reason) { link_.refused(reason); }) {}

// What waits goes first, then what it waits for.
RedisStore::~RedisStore() {
  follower_.detach();
  link_.close();
  charges_.detach();
}

Result<void> RedisStore::start() {
  link_.start();
  const SteadyTime patience = clock_.steady() + kPatienceAtStart;
  run_loop_until(loop_, [&] {
    return (link_.serving() && follower_.loaded()) || clock_.steady() >= patience || link_.waiting();
  });
  if (!link_.serving()) {
    spdlog::error("store {}: away: {}; blocks are not known yet, and limits are enforced on this node alone, "
                  "until it is back",
                  config_.url.to_string(), link_.reason());
  }
  return {};
}

Task<void> RedisStore::stop() {
  link_.stop();
  const SteadyTime patience = clock_.steady() + kPatienceAtStop;
  bool merged = link_.state() == RedisLink::State::open || link_.serving();
  while (merged && share_.pending() > 0 && clock_.steady() < patience) {
    const auto merging = merge(kMergeBatch);
    merged = co_await merging;
  }
  if (share_.pending() > 0) {
    spdlog::error("store {}: {} charges counted on this node alone could not be merged", config_.url.to_string(),
                  share_.pending());
  }
  if (!link_.serving()) co_return;
  auto call = link_.data().send({"HDEL", keys_.nodes(), self_().id});
  co_await call;
}

void RedisStore::opened(RedisConnection& data, const std::string& charge_sha) {
  follower_.attach(data);
  charges_.attach(data, charge_sha);
}

void RedisStore::closed() {
  follower_.detach();
  charges_.detach();
}

void RedisStore::beat() {
  share_.sweep(clock_.wall());
  if (++beats_ % kSweepMirror == 0) mirror_.sweep();
}

Task<std::optional<size_t>> RedisStore::catch_up() {
  const size_t to_merge = share_.pending();
  while (share_.pending() > kMergeBatch) {
    const auto merging = merge(kMergeBatch);
    if (!co_await merging) co_return std::nullopt;
  }
  co_return to_merge;
}

Task<void> RedisStore::caught_up() {
  if (share_.dropped() > 0) {
    spdlog::error("store {}: {} charges were too many to keep for the merge", config_.url.to_string(),
                  share_.dropped());
  }
  const auto merging = merge(share_.pending());
  co_await merging;
}

Task<bool> RedisStore::merge(size_t most) {
  std::vector<LocalShare::Entry> entries = share_.take(most);
  std::vector<Charge> charges;
  charges.reserve(entries.size());
  std::deque<RedisCharges::Call> calls;  // where it stands it stays
  for (const auto& entry : entries) {
    const Charge& charge = charges.emplace_back(entry.charge());
    const ChargeMode mode = entry.cancelled ? ChargeMode::cancel : ChargeMode::merge;
    calls.emplace_back(charges_, charge, mode, entry.at + link_.nodes().redis_ahead());
  }
  std::vector<LocalShare::Entry> failed;
  for (size_t i = 0; i < entries.size(); ++i) {
    RedisCharges::Call& call = calls[i];
    const auto counted = co_await call;
    if (counted.outcome == RedisCharges::Outcome::away) failed.push_back(std::move(entries[i]));
  }
  const bool merged = failed.empty();
  if (!merged) share_.put_back(std::move(failed));
  co_return merged;
}

Task<ChargeResult> RedisStore::charge(const Charge& charge) {
  if (link_.serving()) {
    RedisCharges::Call call(charges_, charge, charge.dry_run ? ChargeMode::dry : ChargeMode::live);
    const auto counted = co_await call;
    if (counted.outcome == RedisCharges::Outcome::counted) co_return counted.result;
    if (counted.outcome == RedisCharges::Outcome::broken) {
      co_return share_.charge_unmerged(charge, link_.nodes().most(), clock_.wall());
    }
  }
  co_return share_.charge(charge, link_.nodes().most(), clock_.wall());
}

}  // namespace policyd
