#include "policyd/store/cell_codec.h"

namespace policyd {

namespace {

constexpr char kForm = 1;  // another form gets another number
constexpr unsigned kBitsPerOctet = 7;
constexpr uint8_t kMore = 0x80;

void append_varint(std::string& out, uint64_t number) {
  for (; number >= kMore; number >>= kBitsPerOctet) out += static_cast<char>(number | kMore);
  out += static_cast<char>(number);
}

// Takes one number off the front; nothing where it does not end, or does not fit 64 bits.
std::optional<uint64_t> take_varint(std::string_view& octets) {
  uint64_t number = 0;
  for (unsigned shift = 0; shift < 64 && !octets.empty(); shift += kBitsPerOctet) {
    const auto octet = static_cast<uint8_t>(octets.front());
    octets.remove_prefix(1);
    const uint64_t bits = octet & (kMore - 1);
    if ((bits << shift) >> shift != bits) return std::nullopt;
    number |= bits << shift;
    if (octet < kMore) return number;
  }
  return std::nullopt;
}

uint64_t zigzag(int64_t cell) { return (static_cast<uint64_t>(cell) << 1) ^ static_cast<uint64_t>(cell >> 63); }
int64_t unzigzag(uint64_t number) { return static_cast<int64_t>((number >> 1) ^ (~(number & 1) + 1)); }

}  // namespace

std::string encode_cells(const Counters::Cells& cells) {
  std::string octets(1, kForm);
  for (const int64_t cell : cells) append_varint(octets, zigzag(cell));
  return octets;
}

std::optional<Counters::Cells> decode_cells(std::string_view octets) {
  if (octets.empty() || octets.front() != kForm) return std::nullopt;
  octets.remove_prefix(1);
  Counters::Cells cells;
  while (!octets.empty()) {
    const auto number = take_varint(octets);
    if (!number) return std::nullopt;
    cells.push_back(unzigzag(*number));
  }
  return cells;
}

}  // namespace policyd
