// Text of strangers made safe: see text.h.
//
// These run several times for every request, so they go over the octets once, copy clean stretches
// whole and allocate nothing but the result. They never fail, whatever the octets are.
#include "shared/text.h"

#include <algorithm>
#include <array>
#include <bit>
#include <charconv>
#include <cstring>

namespace policyd {
namespace {

// Odd numbers without a pattern (the golden ratio's and pi's fractions).
constexpr uint64_t kHashStart = 0x9e3779b97f4a7c15;
constexpr uint64_t kHashFactor = 0x243f6a8885a308d3;

uint64_t fold(uint64_t a, uint64_t b) {
  __extension__ using Wide = unsigned __int128;
  const Wide product = static_cast<Wide>(a) * b;
  return static_cast<uint64_t>(product) ^ static_cast<uint64_t>(product >> 64) ^ a;
}

// Eight octets as a number, the same one on every machine.
uint64_t little_endian(const char* octets) {
  uint64_t number = 0;
  std::memcpy(&number, octets, 8);
  return std::endian::native == std::endian::big ? __builtin_bswap64(number) : number;
}

// The octets of `word` that are not plain have their highest bit set in the result; those above one that is not plain
// may have it too. (Hacker's Delight: "find first 0-byte".)
constexpr uint64_t kLowBits = 0x0101010101010101;
constexpr uint64_t kHighBits = 0x8080808080808080;
uint64_t not_plain(uint64_t word) {
  const auto zero_octets = [](uint64_t octets) { return (octets - kLowBits) & ~octets; };
  const uint64_t below_space = (word - kLowBits * ' ') & ~word;
  const uint64_t quotes = zero_octets(word ^ (kLowBits * '"')), backslashes = zero_octets(word ^ (kLowBits * '\\'));
  const uint64_t deletes = zero_octets(word ^ (kLowBits * 0x7f));
  return (word | below_space | quotes | backslashes | deletes) & kHighBits;
}

// Not 0 where one of eight octets is a capital: bit 7 of a sum tells whether an octet below 0x80 is at least 'A',
// beyond 'Z'.
constexpr uint64_t capitals(uint64_t word) {
  const uint64_t low = word & ~kHighBits;
  const uint64_t at_least_a = low + kLowBits * (0x80 - 'A'), beyond_z = low + kLowBits * (0x80 - 'Z' - 1);
  return at_least_a & ~beyond_z & ~word & kHighBits;
}
constexpr bool is_printable(char c) {
  return c >= 0x20 && c <= 0x7e;
}
constexpr bool is_plain(char c) {
  return is_printable(c) && c != '"' && c != '\\';
}

// How many octets `text` begins with that need no escape.
size_t plain_prefix(std::string_view text) {
  size_t length = 0;
  if (text.size() >= 8) {
    const size_t last = text.size() - 8;
    while (length < last && not_plain(little_endian(text.data() + length)) == 0) length += 8;
    // The last eight: they may overlap what has been looked at.
    if (length >= last && not_plain(little_endian(text.data() + last)) == 0) return text.size();
  }
  while (length < text.size() && is_plain(text[length])) ++length;
  return length;
}

constexpr bool is_space(char c) {
  return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

void append_escaped(std::string& out, char c) {
  constexpr std::string_view kHex = "0123456789abcdef";
  if (is_printable(c)) {
    out += {'\\', c};
    return;
  }
  const auto octet = static_cast<uint8_t>(c);
  out += {'\\', 'x', kHex[octet >> 4], kHex[octet & 0x0f]};
}

// The first octets of UTF-8 characters, and what their second octet may be: RFC 3629, section 4.
struct Utf8Row {
  uint8_t first_low, first_high;
  size_t length;
  uint8_t second_low, second_high;
};
constexpr std::array<Utf8Row, 9> kUtf8Rows{{
    {0x00, 0x7f, 1, 0x00, 0x00},
    {0xc2, 0xdf, 2, 0x80, 0xbf},
    {0xe0, 0xe0, 3, 0xa0, 0xbf},
    {0xe1, 0xec, 3, 0x80, 0xbf},
    {0xed, 0xed, 3, 0x80, 0x9f},
    {0xee, 0xef, 3, 0x80, 0xbf},
    {0xf0, 0xf0, 4, 0x90, 0xbf},
    {0xf1, 0xf3, 4, 0x80, 0xbf},
    {0xf4, 0xf4, 4, 0x80, 0x8f},
}};

// The length of the UTF-8 character that `text` begins with, or 0.
size_t utf8_length(std::string_view text) {
  const auto octet = [&](size_t i) { return static_cast<uint8_t>(text[i]); };
  for (const Utf8Row& row : kUtf8Rows) {
    if (octet(0) < row.first_low || octet(0) > row.first_high) continue;
    if (row.length == 1) return 1;
    if (text.size() < row.length) return 0;
    if (octet(1) < row.second_low || octet(1) > row.second_high) return 0;
    for (size_t i = 2; i < row.length; ++i) {
      if ((octet(i) & 0xc0) != 0x80) return 0;
    }
    return row.length;
  }
  return 0;
}

}  // namespace

std::string to_lower(std::string_view text) {
  std::string out(text);
  for (char& c : out) c = lower(c);
  return out;
}

void append_lower(std::string& out, std::string_view text) {
  const size_t before = out.size();
  out.append(text);
  char* const octets = out.data() + before;  // a plain array, so that several are done at a time
  for (size_t i = 0; i < text.size(); ++i) octets[i] = lower(octets[i]);
}

bool has_capitals(std::string_view text) {
  uint64_t all = 0;
  const size_t words = text.size() / 8;
  for (size_t i = 0; i < words; ++i) all |= capitals(little_endian(text.data() + 8 * i));
  if (words > 0) return (all | capitals(little_endian(text.data() + text.size() - 8))) != 0;
  return std::any_of(text.begin(), text.end(), [](char c) { return lower(c) != c; });
}

std::string quoted(std::string_view text, size_t limit) {
  std::string out;
  out.reserve(std::min(text.size(), limit) + 2);
  append_quoted(out, text, limit);
  return out;
}

void append_quoted(std::string& out, std::string_view text, size_t limit) {
  const bool cut = text.size() > limit;
  const std::string_view shown = text.substr(0, limit);
  out += '"';
  for (size_t at = 0; at < shown.size();) {
    const size_t plain = plain_prefix(shown.substr(at));
    out.append(shown, at, plain);
    at += plain;
    if (at < shown.size()) append_escaped(out, shown[at++]);
  }
  out += '"';
  if (cut) out += "...";
}

std::string printable(std::string_view text) {
  std::string out(text);
  for (char& c : out) {
    if (!is_printable(c)) c = '?';
  }
  return out;
}

// Eight octets at a time through a 64 x 64 -> 128 bit product, whose halves are folded together.
uint64_t stable_hash(std::string_view text, uint64_t seed) {
  uint64_t hash = seed ^ kHashStart ^ text.size();
  const size_t words = text.size() / 8, rest = text.size() % 8;
  for (size_t i = 0; i < words; ++i) hash = fold(hash ^ little_endian(text.data() + 8 * i), kHashFactor);
  if (rest > 0) {
    uint64_t last = 0;  // the rest, as if zeros followed
    if (words > 0) {
      last = little_endian(text.data() + text.size() - 8) >> (8 * (8 - rest));
    } else {
      for (size_t i = 0; i < rest; ++i) last |= uint64_t{static_cast<uint8_t>(text[i])} << (8 * i);
    }
    hash = fold(hash ^ last, kHashFactor);
  }
  return fold(hash ^ kHashFactor, kHashStart);
}

std::string replaced(std::string text, std::string_view what, std::string_view with) {
  for (size_t at = text.find(what); at != std::string::npos; at = text.find(what, at + with.size())) {
    text.replace(at, what.size(), with);
  }
  return text;
}

bool is_hex(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return is_hex(c); });
}

std::optional<int64_t> parse_whole_number(std::string_view text, int64_t most) {
  int64_t number = 0;
  const char* const end = text.data() + text.size();
  const auto [stop, failure] = std::from_chars(text.data(), end, number);
  const bool whole = failure == std::errc() && stop == end && text.front() != '-' && number <= most;
  return whole ? std::optional(number) : std::nullopt;
}

std::string_view trim(std::string_view text) {
  while (!text.empty() && is_space(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_space(text.back())) text.remove_suffix(1);
  return text;
}

bool is_utf8(std::string_view text) {
  while (!text.empty()) {
    const size_t length = utf8_length(text);
    if (length == 0) return false;
    text.remove_prefix(length);
  }
  return true;
}

std::string_view domain_of(std::string_view address) {
  if (address.empty()) return {};
  const auto* found = static_cast<const char*>(memrchr(address.data(), '@', address.size()));
  return found ? address.substr(static_cast<size_t>(found - address.data()) + 1) : std::string_view{};
}

}  // namespace policyd
