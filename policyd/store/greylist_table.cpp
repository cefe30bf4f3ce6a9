#include "policyd/store/greylist_table.h"

#include <algorithm>
#include <utility>

#include "shared/text.h"

namespace policyd {

namespace {

using Kind = GreylistRecord::Kind;
using Outcome = GreylistResult::Outcome;

constexpr size_t kSweep = 10'000;  // records of a kind, at a time

std::string key_of(const GreylistAttempt& attempt) {
  std::string key;
  key.reserve(attempt.client.size() + attempt.sender.size() + attempt.recipient.size() + 2);
  key.append(attempt.client).append(" ").append(attempt.sender).append(">").append(attempt.recipient);
  return key;
}

// A time in the future is from before the clock was set back, and counts for nothing.
bool within(const GreylistRecord* record, Milliseconds longest, WallTime now) {
  return record && record->at <= now && now - record->at <= longest;
}

}  // namespace

GreylistResult GreylistTable::attempt(const GreylistAttempt& attempt, WallTime now) {
  const std::string key = key_of(attempt), client = std::string(attempt.client);
  const uint64_t message = attempt.instance.empty() ? 0 : stable_hash(attempt.instance);
  Entry* const found = find(key, now);
  Entry* const passes = attempt.auto_allow > 0 ? find(client, now) : nullptr;
  const bool allowed = within(passes, attempt.record, now) && passes->count >= attempt.auto_allow;
  if (allowed && !attempt.dry_run) keep(*passes, now, now + attempt.record);
  if (found && found->kind == Kind::passed && within(found, attempt.record, now)) {
    if (!attempt.dry_run) keep(*found, now, now + attempt.record);
    return {Outcome::known};
  }
  if (allowed) return {Outcome::allowed};
  if (!found || found->kind != Kind::waiting || !within(found, attempt.pass, now)) {
    if (!attempt.dry_run) {
      Entry& fresh = entry(key, Kind::waiting);
      fresh.message = message;
      keep(fresh, now, now + attempt.pass);
    }
    return {Outcome::first, attempt.block, false, now};
  }
  if (const Milliseconds left = found->at + attempt.block - now; left > Milliseconds{0}) {
    const bool repeated = message != 0 && found->message == message;
    if (!attempt.dry_run) found->message = message;
    return {Outcome::early, left, repeated, found->at};
  }
  const WallTime begun = found->at;
  if (!attempt.dry_run) {
    keep(entry(key, Kind::passed), now, now + attempt.record);
    if (attempt.auto_allow > 0) count_pass(client, message, attempt.record, now);
  }
  return {Outcome::passed, Milliseconds{0}, false, begun};
}

// The recipients of one message are one pass.
void GreylistTable::count_pass(const std::string& client, uint64_t message, Milliseconds record, WallTime now) {
  Entry* const before = find(client, now);
  const bool counting = within(before, record, now);
  Entry& passes = before ? *before : entry(client, Kind::client);
  if (!counting) passes.count = 0;
  if (!counting || message == 0 || passes.message != message) ++passes.count;
  passes.message = message;
  keep(passes, now, now + record);
}

GreylistTable::Entry* GreylistTable::find(std::string_view key, WallTime now) {
  const auto found = index_.find(key);
  return found == index_.end() || found->second->until < now ? nullptr : &*found->second;
}

// The entry of a key, of this kind: a fresh one, or what it was before; the oldest of the kind goes where there are too
// many.
GreylistTable::Entry& GreylistTable::entry(const std::string& key, Kind kind) {
  Entries& entries = entries_of(kind);
  if (const auto found = index_.find(key); found != index_.end()) {
    const auto place = found->second;
    entries.splice(entries.end(), entries_of(place->kind), place);
    place->kind = kind;
    place->count = 0;
  } else {
    entries.emplace_back();
    entries.back().key = key;
    entries.back().kind = kind;
    index_.emplace(entries.back().key, std::prev(entries.end()));
  }
  if (entries.size() > bounds_[static_cast<size_t>(kind)]) forget(entries, entries.begin());
  return entries.back();
}

// The newest of its kind.
void GreylistTable::keep(Entry& entry, WallTime at, WallTime until, bool durable) {
  entry.at = at;
  entry.until = until;
  Entries& entries = entries_of(entry.kind);
  entries.splice(entries.end(), entries, index_.find(entry.key)->second);
  if (!tracking_ || !durable || entry.change != kUnchanged) return;
  entry.change = changes_.size();
  changes_.push_back(&entry);
}

// Its change is not to be taken any more.
void GreylistTable::take_back(Entry& entry) {
  if (entry.change == kUnchanged) return;
  changes_[entry.change] = changes_.back();
  changes_[entry.change]->change = entry.change;
  changes_.pop_back();
  entry.change = kUnchanged;
}

void GreylistTable::forget(Entries& of, Entries::iterator entry) {
  take_back(*entry);
  index_.erase(entry->key);
  of.erase(entry);
}

void GreylistTable::sweep(WallTime now) {
  for (Entries& entries : entries_) {
    for (size_t step = 0; step < kSweep && !entries.empty() && entries.front().until < now; ++step) {
      forget(entries, entries.begin());
    }
  }
}

std::vector<GreylistRecord> GreylistTable::take_changes(size_t most) {
  std::vector<GreylistRecord> taken;
  while (!changes_.empty() && taken.size() < most) {
    taken.push_back(*changes_.back());
    take_back(*changes_.back());
  }
  return taken;
}

void GreylistTable::restore(GreylistRecord record) {
  Entry& restored = entry(record.key, record.kind);
  static_cast<GreylistRecord&>(restored).message = record.message;
  restored.count = record.count;
  keep(restored, record.at, record.until, false);
}

}  // namespace policyd
