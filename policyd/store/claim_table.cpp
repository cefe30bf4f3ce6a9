#include "policyd/store/claim_table.h"

#include <algorithm>
#include <vector>

namespace policyd {

bool ClaimTable::claim(std::string_view what, Milliseconds duration, WallTime now) {
  if (taken(what, now)) return false;
  if (until_.size() >= kMost) make_room(now);
  until_.insert_or_assign(std::string(what), now + duration);
  return true;
}

bool ClaimTable::taken(std::string_view what, WallTime now) const {
  const auto found = until_.find(what);
  return found != until_.end() && found->second > now;
}

// What has run out goes; where that is little, half of all: making room is rare then.
void ClaimTable::make_room(WallTime now) {
  std::erase_if(until_, [now](const auto& claim) { return claim.second <= now; });
  if (until_.size() <= kMost / 2) return;
  std::vector<WallTime> ends;
  for (const auto& [what, until] : until_) ends.push_back(until);
  const auto middle = ends.begin() + static_cast<ptrdiff_t>(ends.size() / 2);
  std::nth_element(ends.begin(), middle, ends.end());
  const WallTime limit = *middle;
  size_t spare = kMost / 2;  // many may run out at the same time
  std::erase_if(until_, [&](const auto& claim) { return claim.second <= limit && spare > 0 && spare-- > 0; });
}

}  // namespace policyd
