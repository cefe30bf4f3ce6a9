// Text of strangers made safe: see text.h.
//
// These run several times for every request, so they go over the octets once, copy clean stretches
// whole and allocate nothing but the result. They never fail, whatever the octets are.
#include "shared/text.h"

#include <algorithm>
#include <array>
#include <bit>
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

// The same number on every machine.
uint64_t little_endian(const char* octets, size_t count) {
  uint64_t number = 0;
  std::memcpy(&number, octets, count);
  if constexpr (std::endian::native == std::endian::big) number = __builtin_bswap64(number);
  return number;
}

constexpr char lower(char c) {
  return static_cast<char>(c | ((c >= 'A' && c <= 'Z') ? 0x20 : 0));
}
constexpr bool is_printable(char c) {
  return c >= 0x20 && c <= 0x7e;
}
constexpr bool is_plain(char c) {
  return is_printable(c) && c != '"' && c != '\\';
}
constexpr auto kPlain = [] {
  std::array<bool, 256> plain{};
  for (size_t i = 0; i < plain.size(); ++i) plain[i] = is_plain(static_cast<char>(i));
  return plain;
}();
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
  size_t clean = 0;  // what is before has been appended
  for (size_t i = 0; i < shown.size(); ++i) {
    if (kPlain[static_cast<uint8_t>(shown[i])]) continue;
    out.append(shown, clean, i - clean);
    append_escaped(out, shown[i]);
    clean = i + 1;
  }
  out.append(shown, clean);
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
  for (; text.size() >= 8; text.remove_prefix(8)) hash = fold(hash ^ little_endian(text.data(), 8), kHashFactor);
  if (!text.empty()) hash = fold(hash ^ little_endian(text.data(), text.size()), kHashFactor);
  return fold(hash ^ kHashFactor, kHashStart);
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
  const size_t at = address.rfind('@');
  return at == std::string_view::npos ? std::string_view{} : address.substr(at + 1);
}

}  // namespace policyd
