#include "policyd/store/ledger.h"

#include <algorithm>

namespace policyd {

namespace {

constexpr size_t kSweep = 512;  // hash buckets a turn

bool nothing(const Amounts& amounts) {
  return std::all_of(amounts.begin(), amounts.end(), [](int64_t amount) { return amount == 0; });
}

Amounts difference(const Amounts& to, const Amounts& from) {
  Amounts result;
  for (size_t i = 0; i < result.size(); ++i) result[i] = to[i] - from[i];
  return result;
}

}  // namespace

bool Ledger::Message::has(uint64_t recipient) const {
  return first == recipient || (others && std::find(others->begin(), others->end(), recipient) != others->end());
}

void Ledger::Message::add(uint64_t recipient) {
  if (first == kNobody) {
    first = recipient;
    return;
  }
  if (!others) others = std::make_unique<std::vector<uint64_t>>();
  others->push_back(recipient);
}

void Ledger::Message::forget_recipients() {
  first = kNobody;
  others.reset();
}

uint64_t Ledger::key_of(const Charge& charge) const {
  return charge.instance.empty() ? 0 : stable_hash(charge.instance, stable_hash(charge.account, seed_));
}

uint64_t Ledger::recipient_of(const Charge& charge) const {
  if (charge.kind != Charge::Kind::recipient) return kNobody;
  const uint64_t hash = stable_hash(charge.recipient, seed_);
  return hash == kNobody ? 1 : hash;
}

// What the message should have been charged when this has passed.
Amounts Ledger::target(const Charge& charge, const Message& message, bool is_new_recipient) {
  if (charge.kind == Charge::Kind::give_back) return {};
  const auto [messages, recipients, bytes] = message.charged;
  if (charge.kind == Charge::Kind::recipient) {
    return {1, recipients + (is_new_recipient ? 1 : 0), std::max(bytes, charge.bytes)};
  }
  const int64_t accepted = charge.recipients > 0 ? charge.recipients : std::max<int64_t>(recipients, 1);
  return {1, accepted, charge.bytes > 0 ? charge.bytes : bytes};
}

ChargeResult Ledger::charge_mail(const Charge& charge, uint64_t key, const Limits& limits, WallTime now) {
  static const Counters kNone;
  auto account = accounts_.find(charge.account);
  const Counters& counters = account == accounts_.end() ? kNone : account->second.counters;
  const Mail mail = test_mail(charge, key, limits, now, recipient_of(charge), counters);
  if (!mail.counts) return mail.result;
  if (account == accounts_.end()) account = accounts_.emplace(charge.account, Account{}).first;
  count_mail(charge, mail, limits, now, *account);
  return mail.result;
}

Ledger::Mail Ledger::test_mail(const Charge& charge, uint64_t key, const Limits& limits, WallTime now,
                               uint64_t recipient, const Counters& counters) {
  static const Message kNew{};
  Mail mail;
  mail.key = key;
  mail.known = charge.instance.empty() ? nullptr : messages_.find(key);
  mail.recipient = recipient;
  const Message& message = mail.known ? *mail.known : kNew;
  mail.is_new = recipient != kNobody && !message.has(recipient);
  mail.amounts = difference(target(charge, message, mail.is_new), message.charged);
  if (nothing(mail.amounts)) return mail;
  mail.result = counters.test(limits, mail.amounts, now);
  mail.counts = !charge.dry_run;
  if (mail.result.passed) return mail;
  // A message refused at its end was not accepted at all: all of its charge goes back.
  if (charge.kind == Charge::Kind::recipient || !mail.known) mail.counts = false;
  mail.amounts = difference({}, message.charged);
  return mail;
}

void Ledger::count_mail(const Charge& charge, const Mail& mail, const Limits& limits, WallTime now,
                        Accounts::value_type& entry) {
  const WallTime since = mail.known && !nothing(mail.known->charged) ? mail.known->since : now;
  entry.second.counters.add(limits, mail.amounts, now, since);
  commit(entry);
  if (charge.instance.empty()) return;
  Message& record = mail.known ? *mail.known : messages_.insert(mail.key);
  record.since = since;
  for (size_t i = 0; i < mail.amounts.size(); ++i) record.charged[i] += mail.amounts[i];
  if (!mail.result.passed || charge.kind == Charge::Kind::give_back) record.forget_recipients();
  if (mail.result.passed && mail.is_new) record.add(mail.recipient);
}

void Ledger::commit(Accounts::value_type& entry) {
  if (!tracking_ || entry.second.changed) return;
  entry.second.changed = true;
  changes_.push_back(&entry);
}

std::vector<LimitUse> Ledger::uses(std::string_view account, const Limits& limits, const Limits* signs,
                                   WallTime now) const {
  std::vector<LimitUse> uses;
  const auto found = accounts_.find(account);
  for (const Limits* list : {&limits, signs}) {
    if (!list) continue;
    for (const Limit& limit : *list) {
      uses.push_back({limit, found == accounts_.end() ? 0 : found->second.counters.used(limit, now)});
    }
  }
  return uses;
}

AccountUsage Ledger::usage(std::string_view account, WallTime now) const {
  const auto found = accounts_.find(account);
  return {std::string(account), found == accounts_.end() ? std::vector<Usage>{} : found->second.counters.usage(now)};
}

Store::AccountPage Ledger::list(size_t limit, WallTime now) const {
  Store::AccountPage page;
  for (const auto& [name, account] : accounts_) {
    auto used = account.counters.usage(now);
    if (used.empty()) continue;
    if (page.accounts.size() == limit) {
      page.more = true;
      break;
    }
    page.accounts.push_back({name, std::move(used)});
  }
  return page;
}

bool Ledger::reset(std::string_view account) {
  const auto found = accounts_.find(account);
  if (found == accounts_.end() || found->second.counters.cells().empty()) return false;
  found->second.counters = {};
  forget_seen(*found);
  commit(*found);
  return true;
}

void Ledger::clear() {
  accounts_.clear();
  seen_changes_.clear();
  messages_.clear();
  changes_.clear();
}

void Ledger::sweep(WallTime now) {
  std::vector<const std::string*> idle;
  const size_t buckets = accounts_.bucket_count();
  for (size_t step = 0; step < std::min(kSweep, buckets); ++step) {
    swept_ = (swept_ + 1) % buckets;
    for (auto it = accounts_.begin(swept_); it != accounts_.end(swept_); ++it) {
      if (!it->second.changed && it->second.counters.empty(now)) idle.push_back(&it->first);
    }
  }
  for (const std::string* name : idle) {
    if (!tracking_) {
      accounts_.erase(accounts_.find(*name));
      continue;
    }
    // The file has to forget it too: it goes once that has been taken.
    const auto account = accounts_.find(*name);
    account->second.counters = {};
    forget_seen(*account);
    commit(*account);
  }
}

std::vector<std::pair<std::string, Counters::Cells>> Ledger::take_changes(size_t most) {
  std::vector<std::pair<std::string, Counters::Cells>> taken;
  while (!changes_.empty() && taken.size() < most) {
    auto& [name, account] = *changes_.front();
    changes_.pop_front();
    taken.emplace_back(name, account.counters.cells());
    account.changed = false;
    if (!account.counters.cells().empty()) continue;
    if (account.seen && !account.seen_changed) seen_changes_.push_back(name);
    accounts_.erase(taken.back().first);
  }
  return taken;
}

void Ledger::restore(std::string account, Counters counters) {
  accounts_[std::move(account)].counters = std::move(counters);
}

// Those of an account that is gone are gone with it.
std::vector<std::pair<std::string, std::string>> Ledger::take_seen(size_t most, WallTime now) {
  std::vector<std::pair<std::string, std::string>> taken;
  while (!seen_changes_.empty() && taken.size() < most) {
    std::string name = std::move(seen_changes_.front());
    seen_changes_.pop_front();
    const auto found = accounts_.find(name);
    std::string octets;
    if (found != accounts_.end()) {
      Account& account = found->second;
      account.seen_changed = false;
      if (account.seen) octets = account.seen->to_octets(useless_before(now, account.longest));
    }
    taken.emplace_back(std::move(name), std::move(octets));
  }
  return taken;
}

// Only where there are counters: without them there is nothing that they could move.
void Ledger::restore(std::string account, SeenElements seen) {
  const auto found = accounts_.find(account);
  if (found == accounts_.end()) return;
  found->second.seen = std::make_unique<SeenElements>(std::move(seen));
}

}  // namespace policyd
