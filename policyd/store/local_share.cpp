#include "policyd/store/local_share.h"

#include <algorithm>

namespace policyd {

namespace {

// What refuses is divided; what only tells counts whole, here as anywhere.
bool refuses(Meter meter) { return !is_sign(meter) || counts_elements(meter); }

Limits share_of(const Limits& limits, size_t nodes) {
  Limits share = limits;
  for (Limit& limit : share) {
    const bool divided = limit.maximum > 0 && refuses(limit.meter);
    if (divided) limit.maximum = std::max<int64_t>(limit.maximum / static_cast<int64_t>(nodes), 1);
  }
  return share;
}

// The limit as it is configured, of which `share` is a part.
const Limit* whole_of(const Limits& limits, const Limit& share) {
  const auto found = std::find_if(limits.begin(), limits.end(), [&share](const Limit& limit) {
    return limit.meter == share.meter && limit.window == share.window;
  });
  return found == limits.end() ? nullptr : &*found;
}

}  // namespace

Charge LocalShare::Entry::charge() const {
  Charge charge;
  charge.kind = kind;
  charge.ended = ended;
  charge.account = account;
  charge.instance = instance;
  charge.recipient = recipient;
  charge.recipients = recipients;
  charge.bytes = bytes;
  charge.limits = limits.get();
  charge.signs = signs.get();
  charge.network = network;
  charge.meter = meter;
  charge.amount = amount;
  return charge;
}

ChargeResult LocalShare::charge(const Charge& charge, size_t nodes, WallTime now,
                                std::optional<WallTime> sent) {
  ChargeResult result = charge_unmerged(charge, nodes, now);
  if (charge.dry_run) return result;
  if (result.passed) record(charge, charge.kind, now, sent);
  if (!result.passed && charge.kind == Charge::Kind::settle) record(charge, Charge::Kind::give_back, now, sent);
  return result;
}

ChargeResult LocalShare::charge_unmerged(const Charge& charge, size_t nodes, WallTime now) {
  const Limits share = share_of(*charge.limits, std::max<size_t>(nodes, 1));
  const Limits signs = charge.signs ? share_of(*charge.signs, std::max<size_t>(nodes, 1)) : Limits{};
  ChargeResult result = ledger_.charge(charge, share, now, &signs);
  result.local = true;
  const auto whole = [&charge](const Limit& limit) {
    return *whole_of(is_sign(limit.meter) ? *charge.signs : *charge.limits, limit);
  };
  if (result.limit) result.limit = whole(*result.limit);
  if (result.sign && nodes > 1) tell_whole_sign(charge, now, result);
  for (LimitUse& use : result.uses) use.limit = whole(use.limit);
  return result;
}

// A share that is used up is no sign of anything: the sign is that the limit itself is gone over.
void LocalShare::tell_whole_sign(const Charge& charge, WallTime now, ChargeResult& result) const {
  result.sign.reset();
  result.sign_used = 0;
  for (const Usage& one : ledger_.usage(charge.account, now).usage) {
    const auto over = std::find_if(charge.signs->begin(), charge.signs->end(), [&one](const Limit& limit) {
      return limit.meter == one.meter && limit.window == one.window && one.used > limit.maximum;
    });
    if (over == charge.signs->end()) continue;
    result.sign = *over;
    result.sign_used = one.used;
    return;
  }
}

void LocalShare::record(const Charge& charge, Charge::Kind kind, WallTime now, std::optional<WallTime> sent) {
  if (!last_limits_ || *last_limits_ != *charge.limits) last_limits_ = std::make_shared<const Limits>(*charge.limits);
  const bool known_signs = charge.signs ? last_signs_ && *last_signs_ == *charge.signs : !last_signs_;
  if (!known_signs) last_signs_ = charge.signs ? std::make_shared<const Limits>(*charge.signs) : nullptr;
  if (journal_.size() >= kJournal) {
    journal_.pop_front();
    ++dropped_;
  }
  journal_.push_back({kind, charge.ended, std::string(charge.account), std::string(charge.instance),
                      std::string(charge.recipient), std::string(charge.network), charge.recipients, charge.bytes,
                      charge.meter, charge.amount, last_limits_, last_signs_, now, sent});
}

std::vector<LocalShare::Entry> LocalShare::take(size_t most) {
  const auto count = static_cast<std::ptrdiff_t>(std::min(most, journal_.size()));
  const auto end = journal_.begin() + count;
  std::vector<Entry> taken(std::make_move_iterator(journal_.begin()), std::make_move_iterator(end));
  journal_.erase(journal_.begin(), end);
  return taken;
}

void LocalShare::put_back(std::vector<Entry> entries) {
  journal_.insert(journal_.begin(), std::make_move_iterator(entries.begin()), std::make_move_iterator(entries.end()));
}

}  // namespace policyd
