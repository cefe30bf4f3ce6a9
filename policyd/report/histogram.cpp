#include "policyd/report/histogram.h"

#include <algorithm>
#include <bit>
#include <numeric>

namespace policyd {

namespace {

constexpr int64_t kExact = 4;  // below, each millisecond is a bucket; from here on two buckets to the power of two

}  // namespace

size_t Histogram::bucket_of(Milliseconds took) {
  const int64_t ms = std::max<int64_t>(took.count(), 0);
  if (ms < kExact) return static_cast<size_t>(ms);
  const int power = std::bit_width(static_cast<uint64_t>(ms)) - 1;
  const auto upper_half = static_cast<size_t>(ms >> (power - 1) & 1);
  return std::min(kExact + 2 * (static_cast<size_t>(power) - 2) + upper_half, kBuckets - 1);
}

int64_t Histogram::least(size_t bucket) {
  if (bucket < kExact) return static_cast<int64_t>(bucket);
  const int64_t half_a_power = int64_t{1} << ((bucket - kExact) / 2 + 1);
  return half_a_power * (bucket % 2 == 0 ? 2 : 3);
}

std::optional<double> Histogram::median(std::span<const int64_t> counts) {
  const auto half = static_cast<double>(std::accumulate(counts.begin(), counts.end(), int64_t{0})) / 2;
  double below = 0;
  for (size_t bucket = 0; bucket < counts.size(); ++bucket) {
    const auto count = static_cast<double>(counts[bucket]);
    if (count > 0 && below + count >= half) {
      const auto from = static_cast<double>(least(bucket)), to = static_cast<double>(least(bucket + 1));
      return from + (to - from) * (half - below) / count;
    }
    below += count;
  }
  return std::nullopt;
}

}  // namespace policyd
