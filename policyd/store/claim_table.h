// Who has claimed what on this node: see Store::claim.
//
// Bounded: of more than kMost claims in force those that run out first go. Takes the time as an argument; never fails.
#pragma once

#include <string>
#include <string_view>
#include <unordered_map>

#include "shared/clock.h"
#include "shared/text.h"

namespace policyd {

class ClaimTable {
 public:
  static constexpr size_t kMost = 64 * 1024;

  // True: it was free, and is taken until `duration` has gone by.
  bool claim(std::string_view what, Milliseconds duration, WallTime now);
  [[nodiscard]] bool taken(std::string_view what, WallTime now) const;
  [[nodiscard]] size_t size() const { return until_.size(); }

 private:
  void make_room(WallTime now);
  std::unordered_map<std::string, WallTime, StringHash, std::equal_to<>> until_;
};

}  // namespace policyd
