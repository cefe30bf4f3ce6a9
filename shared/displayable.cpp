#include "shared/displayable.h"

#include <algorithm>
#include <cstdint>
#include <fmt/format.h>
#include <iterator>

#include "shared/text.h"

namespace policyd {
namespace {

struct Range {
  char32_t first, last;
};
// Controls, separators, and what Unicode calls Default_Ignorable_Code_Point: whoever cannot show these shows nothing.
constexpr Range kUnseen[] = {
    {0x00, 0x1f},       {0x7f, 0x9f},        // controls
    {0xad, 0xad},       {0x034f, 0x034f},    // the soft hyphen; the grapheme joiner
    {0x061c, 0x061c},                        // the Arabic letter mark
    {0x115f, 0x1160},   {0x17b4, 0x17b5},    // Hangul fillers; Khmer vowels that are inherent
    {0x180b, 0x180f},                        // Mongolian selectors of variants, and their vowel separator
    {0x200b, 0x200f},                        // without width; marks of direction
    {0x2028, 0x202e},                        // line and paragraph separators; embeddings and overrides of direction
    {0x2060, 0x206f},                        // invisible operators; isolates of direction
    {0x3164, 0x3164},   {0xffa0, 0xffa0},    // further Hangul fillers
    {0xfe00, 0xfe0f},                        // selectors of variants
    {0xfeff, 0xfeff},   {0xfff0, 0xfffb},    // the byte order mark; unassigned, and annotations
    {0x1bca0, 0x1bca3}, {0x1d173, 0x1d17a},  // controls of shorthand; of musical notation
    {0xe0000, 0xe0fff},                      // tags, further selectors, and the rest of their plane's beginning
};

struct Character {
  char32_t code;
  size_t length;
};

// The one that `text`, which is well-formed UTF-8, begins with.
Character first_of(std::string_view text) {
  const auto lead = static_cast<uint8_t>(text[0]);
  if (lead < 0xc0) return {lead, 1};
  const size_t length = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : 2;
  char32_t code = lead & (0xffU >> (length + 1));
  for (size_t i = 1; i < length; ++i) code = (code << 6) | (static_cast<uint8_t>(text[i]) & 0x3fU);
  return {code, length};
}

bool is_unseen(char32_t code) {
  return std::any_of(std::begin(kUnseen), std::end(kUnseen),
                     [code](const Range& range) { return code >= range.first && code <= range.last; });
}

// As JSON has it (RFC 8259, section 7): beyond 16 bits a surrogate pair.
std::string json_escape(char32_t code) {
  if (code <= 0xffff) return fmt::format("\\u{:04x}", static_cast<uint32_t>(code));
  const uint32_t rest = code - 0x10000;
  return fmt::format("\\u{:04x}\\u{:04x}", 0xd800 + (rest >> 10), 0xdc00 + (rest & 0x3ff));
}

}  // namespace

std::string displayable(std::string_view text) {
  if (!is_utf8(text)) return printable(text);
  std::string out;
  out.reserve(text.size());
  while (!text.empty()) {
    const auto [code, length] = first_of(text);
    out.append(is_unseen(code) ? "?" : text.substr(0, length));
    text.remove_prefix(length);
  }
  return out;
}

std::string displayable_name(std::string_view name) {
  const auto odd = [](char c) { return c == ' ' || c == '"'; };
  const bool plain = !name.empty() && !odd(name.front()) && !odd(name.back()) && displayable(name) == name;
  return plain ? std::string(name) : quoted(name, std::string_view::npos);
}

std::string displayable_json(std::string json) {
  constexpr char32_t kFirst = 0x7f;  // what is below stands between values, or has been escaped
  const auto beyond_ascii = [](char c) { return static_cast<uint8_t>(c) >= kFirst; };
  if (std::none_of(json.begin(), json.end(), beyond_ascii)) return json;
  std::string out;
  out.reserve(json.size());
  for (std::string_view rest = json; !rest.empty();) {
    const auto [code, length] = first_of(rest);
    if (code >= kFirst && is_unseen(code)) {
      out += json_escape(code);
    } else {
      out.append(rest.substr(0, length));
    }
    rest.remove_prefix(length);
  }
  return out;
}

}  // namespace policyd
