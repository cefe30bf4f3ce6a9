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
  const uint64_t tag = tag_of(recipient);
  return table_.empty() ? only_ == tag : table_[place_of(tag)] != kFree;
}

bool RecipientSet::add(uint64_t recipient) {
  if (contains(recipient)) return false;
  if (++size_ > kMost) return true;
  const uint64_t tag = tag_of(recipient);
  if (size_ == 1) {
    only_ = tag;
    return true;
  }
  if (table_.size() < 2 * size_) grow();
  table_[place_of(tag)] = tag;
  return true;
}

void RecipientSet::grow() {
  const std::vector<uint64_t> old = std::exchange(table_, std::vector<uint64_t>(std::max(kFirst, 2 * table_.size())));
  for (const uint64_t tag : old) {
    if (tag != kFree) table_[place_of(tag)] = tag;
  }
  if (const uint64_t tag = std::exchange(only_, kFree); tag != kFree) table_[place_of(tag)] = tag;
}

void RecipientSet::forget_names() {
  table_ = {};
  only_ = kFree;
}

}  // namespace policyd
