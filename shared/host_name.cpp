// The syntax of host names and of address literals: see host_name.h.
#include "shared/host_name.h"

#include <algorithm>
#include <cstdint>

#include "shared/text.h"

namespace policyd {
namespace {

constexpr size_t kLongestName = 253;  // RFC 1035, 2.3.4: 255 octets on the wire
constexpr size_t kLongestLabel = 63;

bool is_name_character(char c) {
  return is_alphanumeric(c) || c == '-' || c == '_' || static_cast<uint8_t>(c) >= 0x80;
}

// Counted in characters: the DNS limits are on the encoded form, which has at least one octet for
// each of them, whereas a valid name can be longer than that in UTF-8.
size_t length(std::string_view utf8) {
  return static_cast<size_t>(std::count_if(
      utf8.begin(), utf8.end(), [](char c) { return (static_cast<uint8_t>(c) & 0xc0) != 0x80; }));
}

std::string_view label_flaw(std::string_view label) {
  if (label.empty()) return "has an empty label";
  if (!std::all_of(label.begin(), label.end(), is_name_character)) {
    return "holds a character that no host name has";
  }
  if (label.front() == '-' || label.back() == '-') {
    return "has a label that begins or ends with a hyphen";
  }
  if (length(label) > kLongestLabel) return "has a label of more than 63 characters";
  return "";
}

}  // namespace

std::string_view without_trailing_dot(std::string_view name) {
  if (name.ends_with('.')) name.remove_suffix(1);
  return name;
}

std::string_view host_name_flaw(std::string_view name) {
  name = without_trailing_dot(name);
  if (name.empty()) return "is empty";
  if (!is_utf8(name)) return "is not valid UTF-8";
  if (length(name) > kLongestName) return "has more than 253 characters";
  std::string_view label;
  for (std::string_view rest = name;;) {
    const size_t dot = rest.find('.');
    label = rest.substr(0, dot);
    if (const std::string_view flaw = label_flaw(label); !flaw.empty()) return flaw;
    if (dot == std::string_view::npos) break;
    rest.remove_prefix(dot + 1);
  }
  // RFC 3696, 2: no top-level domain is a number, so this is an address, or a piece of one.
  if (std::all_of(label.begin(), label.end(), is_digit))
    return "ends in a number, as an address does";
  return "";
}

bool is_qualified(std::string_view name) {
  return without_trailing_dot(name).find('.') != std::string_view::npos;
}

std::optional<IpAddress> parse_address_literal(std::string_view text) {
  constexpr std::string_view kTag = "ipv6:";
  if (text.size() < 2 || text.front() != '[' || text.back() != ']') return std::nullopt;
  const std::string_view inner = text.substr(1, text.size() - 2);
  const bool tagged = to_lower(inner.substr(0, kTag.size())) == kTag;
  const std::string_view address = tagged ? inner.substr(kTag.size()) : inner;
  const bool is_v6 = address.find(':') != std::string_view::npos;
  return is_v6 == tagged ? IpAddress::parse(address) : std::nullopt;
}

}  // namespace policyd
