// The ledger's signs: different elements and events, counted with the charge that they belong to.
//
// An element stands in the newest bucket in which it was seen: seen again it moves there, in every window in which it
// still counts, and is added in the others. So a window holds each of its elements once.
#include <algorithm>

#include "policyd/store/ledger.h"

namespace policyd {

namespace {

bool has(const Limits& signs, Meter meter) {
  return std::any_of(signs.begin(), signs.end(), [meter](const Limit& limit) { return limit.meter == meter; });
}

bool waits_longer(const ChargeResult& one, const ChargeResult& other) {
  if (other.passed) return true;
  if (!other.retry_after) return false;
  return !one.retry_after || *one.retry_after > *other.retry_after;
}

Milliseconds longest_of(const Limits& signs) {
  Milliseconds longest{0};
  for (const Limit& limit : signs) {
    if (counts_elements(limit.meter)) longest = std::max(longest, limit.window);
  }
  return longest;
}

}  // namespace

ChargeResult Ledger::charge_signs(const Charge& charge, uint64_t key, const Limits& limits, const Limits& signs,
                                  WallTime now) {
  auto found = accounts_.find(charge.account);
  if (found == accounts_.end()) found = accounts_.emplace(charge.account, Account{}).first;
  Accounts::value_type& entry = *found;
  ChargeResult result = count_signs(entry, charge, key, limits, signs, now);
  if (result.sign) return result;
  if (const auto over = entry.second.counters.over(signs, now)) {
    result.sign = *over->limit;
    result.sign_used = over->used;
  }
  return result;
}

ChargeResult Ledger::count_signs(Accounts::value_type& entry, const Charge& charge, uint64_t key, const Limits& limits,
                                 const Limits& signs, WallTime now) {
  const bool live = !charge.dry_run;
  if (charge.kind == Charge::Kind::sign) {
    if (live) count(charge.meter, charge.amount, signs, entry, now);
    return {};
  }
  Elements elements = elements_of(charge, signs, entry.second);
  uint64_t recipient = recipient_of(charge);
  for (const Element& one : elements) {
    if (one.meter == Meter::distinct_recipients) recipient = one.hash;
  }
  const Mail mail = test_mail(charge, key, limits, now, recipient, entry.second.counters);
  if (mail.known && recipient != kNobody && !mail.is_new) elements.clear();  // asked once more
  look_up(elements, entry.second);
  ChargeResult result = test(elements, signs, entry.second, now);
  if (!result.passed) {
    if (!mail.result.passed && waits_longer(mail.result, result)) {
      result.limit = mail.result.limit;
      result.retry_after = mail.result.retry_after;
    }
    return result;
  }
  const int64_t charged = mail.known ? mail.known->charged[1] : 0;
  if (mail.counts) count_mail(charge, mail, limits, now, entry);
  if (!live || !mail.result.passed) return mail.result;
  count(elements, signs, entry, now);
  if (charge.kind == Charge::Kind::settle && charge.recipients > 0 && charged > charge.recipients) {
    count(Meter::invalid_recipients, charged - charge.recipients, signs, entry, now);
  }
  return mail.result;
}

// Where they would stand is on its way to the cache while the mail is tested.
Ledger::Elements Ledger::elements_of(const Charge& charge, const Limits& signs, Account& account) {
  Elements elements;
  if (charge.kind != Charge::Kind::recipient) return elements;
  const auto add = [&](Meter meter, std::string_view text) {
    if (text.empty() || !has(signs, meter)) return;
    if (!account.seen) account.seen = std::make_unique<SeenElements>();
    const uint64_t hash = account.seen->hash(meter, text);
    account.seen->prefetch(hash);
    elements.add({meter, hash, std::nullopt});
  };
  add(Meter::distinct_recipients, charge.recipient);
  add(Meter::client_networks, charge.network);
  return elements;
}

void Ledger::look_up(Elements& elements, const Account& account) {
  for (Element& one : elements) {
    if (const auto at = account.seen->find(one.hash)) one.before = WallTime(Milliseconds(*at));
  }
}

ChargeResult Ledger::test(const Elements& elements, const Limits& signs, const Account& account, WallTime now) {
  ChargeResult result;
  for (const Element& one : elements) {
    for (const Limit& limit : signs) {
      if (limit.meter != one.meter || (one.before && Counters::counts(limit, *one.before, now))) continue;
      const int64_t used = account.counters.used(limit, now) + 1;
      if (used <= limit.maximum) continue;
      ChargeResult refused;
      refused.passed = false;
      refused.limit = refused.sign = limit;
      refused.sign_used = used;
      if (limit.maximum > 0) refused.retry_after = account.counters.wait(limit, used - limit.maximum, now);
      if (waits_longer(refused, result)) result = refused;
    }
  }
  return result;
}

void Ledger::count(const Elements& elements, const Limits& signs, Accounts::value_type& entry, WallTime now) {
  Account& account = entry.second;
  for (const Element& one : elements) {
    bool moves = false;
    for (const Limit& limit : signs) {
      if (limit.meter != one.meter) continue;
      const bool counted = one.before && Counters::counts(limit, *one.before, now);
      if (counted && !Counters::earlier_bucket(limit, *one.before, now)) continue;
      if (counted) account.counters.take_one(limit, *one.before, now);
      account.counters.add(limit, 1, now);
      moves = true;
    }
    if (!moves) continue;
    account.longest = longest_of(signs);
    // What a clock that was set back has left beyond the window counts no more.
    const bool lasts = one.before && Counters::counts({one.meter, 0, account.longest}, *one.before, now);
    const WallTime seen_at = lasts ? std::max(now, *one.before) : now;
    account.seen->put(one.hash, seen_at.time_since_epoch().count(), useless_before(now, account.longest));
    note_seen(entry);
    commit(entry);
  }
}

void Ledger::forget_signs(std::string_view account) {
  const auto found = accounts_.find(account);
  if (found == accounts_.end()) return;
  found->second.counters.drop_signs();
  forget_seen(*found);
  commit(*found);
}

void Ledger::count(Meter meter, int64_t amount, const Limits& signs, Accounts::value_type& entry, WallTime now) {
  for (const Limit& limit : signs) {
    if (limit.meter != meter || amount <= 0) continue;
    entry.second.counters.add(limit, amount, now);
    commit(entry);
  }
}

void Ledger::note_seen(Accounts::value_type& entry) {
  if (!tracking_ || entry.second.seen_changed) return;
  entry.second.seen_changed = true;
  seen_changes_.push_back(entry.first);
}

void Ledger::forget_seen(Accounts::value_type& entry) {
  if (!entry.second.seen) return;
  entry.second.seen.reset();
  note_seen(entry);
}

// A bucket counts until all of it is older than the window.
int64_t Ledger::useless_before(WallTime now, Milliseconds longest) {
  return (now - longest - longest / (kBucketsPerWindow / 2)).time_since_epoch().count();
}

}  // namespace policyd
