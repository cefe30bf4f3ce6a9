#include "policyd/recipient_set.h"

#include <algorithm>
#include <utility>

namespace policyd {

namespace {

constexpr size_t kFirst = 8;

uint64_t tag_of(uint64_t recipient) { return recipient == 0 ? 1 : recipient; }

}  // namespace

// Where it stands, or would.
size_t RecipientSet::place_of(uint64_t recipient) const {
  size_t place = recipient % table_.size();
  while (table_[place] != kFree && table_[place] != recipient) place = (place + 1) % table_.size();
  return place;
}

bool RecipientSet::contains(uint64_t recipient) const {
  return !table_.empty() && table_[place_of(tag_of(recipient))] != kFree;
}

bool RecipientSet::add(uint64_t recipient) {
  if (contains(recipient)) return false;
  if (++size_ > kMost) return true;
  if (table_.size() < 2 * size_) grow();
  const uint64_t tag = tag_of(recipient);
  table_[place_of(tag)] = tag;
  return true;
}

void RecipientSet::grow() {
  const std::vector<uint64_t> old = std::exchange(table_, std::vector<uint64_t>(std::max(kFirst, 2 * table_.size())));
  for (const uint64_t tag : old) {
    if (tag != kFree) table_[place_of(tag)] = tag;
  }
}

void RecipientSet::forget_names() { table_ = {}; }

}  // namespace policyd
