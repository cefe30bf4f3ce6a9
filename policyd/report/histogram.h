// How long something took, in buckets whose bounds grow by half and by a third in turn: 0, 1, 2, 3, 4, 6, 8, 12, 16 ...
// ms.
//
// The bounds are the same everywhere, so that the buckets of nodes add up. Pure.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>

#include "shared/clock.h"

namespace policyd {

class Histogram {
 public:
  static constexpr size_t kBuckets = 28;  // the last: 12,288 ms and more

  void add(Milliseconds took) { ++counts_[bucket_of(took)]; }
  [[nodiscard]] const std::array<int64_t, kBuckets>& counts() const { return counts_; }

  // The bucket that holds `took`; the least that a bucket holds, in ms.
  static size_t bucket_of(Milliseconds took);
  static int64_t least(size_t bucket);

  // The median in ms, as if what is in a bucket were spread evenly over it; nothing where there is nothing. `counts`
  // may be shorter than kBuckets.
  static std::optional<double> median(std::span<const int64_t> counts);

 private:
  std::array<int64_t, kBuckets> counts_{};
};

}  // namespace policyd
