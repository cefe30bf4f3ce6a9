// The journal of an embedded store without a file: in memory, until the process ends.
//
// Bounded by the batches' age and number, and by kMostOctets: the oldest go. One thread, no clock: times are given.
#pragma once

#include <deque>

#include "policyd/journal/rows.h"
#include "shared/clock.h"

namespace policyd {

class JournalRing {
 public:
  static constexpr size_t kMostOctets = size_t{64} << 20;  // of rows, with what they cost beside their text

  explicit JournalRing(size_t most_octets = kMostOctets) : most_octets_(most_octets) {}

  void add(JournalBatch batch, WallTime now);
  [[nodiscard]] JournalPage read(const JournalRange& range) const;

 private:
  void drop_oldest();

  const size_t most_octets_;
  std::deque<PlacedRow> rows_;
  size_t octets_ = 0;
  JournalPlace last_{};
};

}  // namespace policyd
