// A histogram of latencies in nanoseconds, after the manner of HdrHistogram: 64 steps to each
// doubling.
//
// record() costs a few instructions and never allocates; a quantile is off by less than 1.6 %, the
// maximum is exact. Values over 2^40 ns (18 minutes) count as that. Nothing fails.
#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cstdint>

namespace policyd::bench {

inline constexpr int kBits = 6;  // 2^6 steps to a doubling
inline constexpr uint64_t kLargest = uint64_t{1} << 40;

// Values below 2^(kBits+1) have a bucket each; above, the bucket is the leading kBits+1 bits and
// how far they were shifted.
constexpr size_t bucket_of(uint64_t value) {
  int shift = std::max(0, static_cast<int>(std::bit_width(value)) - (kBits + 1));
  return (static_cast<size_t>(shift) << kBits) + static_cast<size_t>(value >> shift);
}
constexpr uint64_t largest_in(size_t bucket) {
  if (bucket < (size_t{2} << kBits)) return bucket;
  size_t shift = (bucket >> kBits) - 1;
  uint64_t leading = (bucket & ((size_t{1} << kBits) - 1)) + (uint64_t{1} << kBits);
  return ((leading + 1) << shift) - 1;
}

class Histogram {
 public:
  void record(uint64_t nanoseconds) {
    ++counts_[bucket_of(std::min(nanoseconds, kLargest))];
    ++total_;
    maximum_ = std::max(maximum_, nanoseconds);
  }

  // The value that the share `quantile` (0 to 1) of all values does not exceed; 0 when there are
  // none.
  [[nodiscard]] uint64_t quantile(double quantile) const {
    auto wanted =
        std::max<uint64_t>(1, static_cast<uint64_t>(quantile * static_cast<double>(total_)));
    uint64_t seen = 0;
    for (size_t i = 0; i < counts_.size(); ++i) {
      seen += counts_[i];
      if (seen >= wanted) return std::min(largest_in(i), maximum_);
    }
    return maximum_;
  }

  [[nodiscard]] uint64_t total() const { return total_; }
  [[nodiscard]] uint64_t maximum() const { return maximum_; }

 private:
  std::array<uint32_t, bucket_of(kLargest) + 1> counts_{};
  uint64_t total_ = 0;
  uint64_t maximum_ = 0;
};

}  // namespace policyd::bench
