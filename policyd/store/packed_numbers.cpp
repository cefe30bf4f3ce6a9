#include "policyd/store/packed_numbers.h"

#include <bit>
#include <cstring>

namespace policyd {

namespace {

constexpr size_t kOctets = 8;
constexpr double kExact = 9007199254740992.0;  // 2^53

uint64_t little_endian(uint64_t number) {
  return std::endian::native == std::endian::little ? number : __builtin_bswap64(number);
}

void append(std::string& out, int64_t number) {
  const uint64_t bits = little_endian(std::bit_cast<uint64_t>(static_cast<double>(number)));
  char octets[kOctets];
  std::memcpy(octets, &bits, kOctets);
  out.append(octets, kOctets);
}

// Reads from the front; nothing where there is no further number, or one that is not whole.
std::optional<int64_t> take(std::string_view& octets) {
  if (octets.size() < kOctets) return std::nullopt;
  uint64_t bits = 0;
  std::memcpy(&bits, octets.data(), kOctets);
  octets.remove_prefix(kOctets);
  const auto number = std::bit_cast<double>(little_endian(bits));
  if (!(number >= 0 && number < kExact)) return std::nullopt;
  const auto whole = static_cast<int64_t>(number);
  return static_cast<double>(whole) == number ? std::optional(whole) : std::nullopt;
}

// One counter, in the form of Counters: without its total.
bool take_counter(std::string_view& octets, Counters::Cells& cells) {
  const auto meter = take(octets), window = take(octets), total = take(octets), buckets = take(octets);
  if (!meter || !window || !total || !buckets) return false;
  cells.insert(cells.end(), {*meter, *window, *buckets});
  for (int64_t pair = 0; pair < *buckets; ++pair) {
    const auto bucket = take(octets), count = take(octets);
    if (!bucket || !count) return false;
    cells.insert(cells.end(), {*bucket, *count});
  }
  return true;
}

}  // namespace

std::string pack_limits(const Limits& limits) {
  std::string out;
  out.reserve(3 * kOctets * limits.size());
  for (const Limit& limit : limits) {
    append(out, static_cast<int64_t>(limit.meter));
    append(out, limit.maximum);
    append(out, limit.window.count());
  }
  return out;
}

std::optional<Counters> unpack_counters(std::string_view octets) {
  Counters::Cells cells;
  while (!octets.empty()) {
    if (!take_counter(octets, cells)) return std::nullopt;
  }
  return Counters::from_cells(std::move(cells));
}

}  // namespace policyd
