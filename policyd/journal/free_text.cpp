#include "policyd/journal/free_text.h"

#include <algorithm>

#include "shared/address.h"
#include "shared/text.h"

namespace policyd {

namespace {

constexpr bool is_beyond_ascii(char c) { return static_cast<uint8_t>(c) >= 0x80; }
constexpr bool is_domain_octet(char c) { return is_alphanumeric(c) || is_beyond_ascii(c) || c == '-' || c == '_'; }
// Without '=', '/' and '%', which stand between names as often: "sender=ann@example.com".
bool is_local_octet(char c) {
  return is_domain_octet(c) || std::string_view(".+'#~!$&*").find(c) != std::string_view::npos;
}

template <typename Is>
size_t end_of(std::string_view text, size_t at, Is is) {
  return static_cast<size_t>(std::find_if_not(text.begin() + static_cast<std::ptrdiff_t>(at), text.end(), is) -
                             text.begin());
}

// Without the dots that end a sentence.
size_t before_dots(std::string_view text, size_t begin, size_t end) {
  while (end > begin && text[end - 1] == '.') --end;
  return end;
}

size_t end_of_quoted(std::string_view text, size_t at) {
  for (size_t i = at + 1; i < text.size(); ++i) {
    if (text[i] == '"') return i + 1;
    if (text[i] == '\\') ++i;
  }
  return at;
}

// How many octets from `at` on are an address; 0: none.
size_t address_at(std::string_view text, size_t at) {
  if (at > 0 && is_local_octet(text[at - 1])) return 0;
  const size_t local = text[at] == '"' ? end_of_quoted(text, at) : end_of(text, at, is_local_octet);
  if (local == at || local >= text.size() || text[local] != '@') return 0;
  const size_t domain = local + 1;
  if (domain < text.size() && text[domain] == '[') {
    const size_t end = text.find(']', domain);
    return end == std::string_view::npos ? 0 : end + 1 - at;
  }
  const size_t end =
      before_dots(text, domain, end_of(text, domain, [](char c) { return c == '.' || is_domain_octet(c); }));
  return end == domain ? 0 : end - at;
}

// A colon stands before an address as often as within one: "ip:192.0.2.1". What begins before it was looked at before.
bool client_may_begin(std::string_view text, size_t at) {
  if (at == 0) return true;
  if (text[at - 1] == '.') return at == 1 || !is_alphanumeric(text[at - 2]);  // "192.0.2.1..192.0.2.9"
  return !is_alphanumeric(text[at - 1]);
}

// "1.2.3.4.5" is a number of something else; "192.0.2.1." ends a sentence.
bool dotted_on(std::string_view text, size_t end) {
  return end + 1 < text.size() && text[end] == '.' && is_digit(text[end + 1]);
}

// The longest IP address from `at` on, in octets; 0: none.
size_t ip_address_at(std::string_view text, size_t at) {
  constexpr size_t kLongest = std::string_view("ffff:ffff:ffff:ffff:ffff:ffff:255.255.255.255").size();
  if (!client_may_begin(text, at)) return 0;
  const std::string_view near = text.substr(0, std::min(text.size(), at + kLongest));
  size_t end = end_of(near, at, [](char c) { return is_hex(c) || c == '.' || c == ':'; });
  for (; end > at; --end) {
    if (end < text.size() && is_alphanumeric(text[end])) continue;
    const auto address = IpAddress::parse(text.substr(at, end - at));
    if (address && (address->v6 || !dotted_on(text, end))) return end - at;
  }
  return 0;
}

// How many octets from `at` on are an IP address or a network; 0: none.
size_t client_at(std::string_view text, size_t at) {
  const size_t length = ip_address_at(text, at), end = at + length;
  if (length == 0 || end == text.size() || text[end] != '/') return length;
  const size_t prefix = end_of(text, end + 1, [](char c) { return is_digit(c); });
  return (prefix == end + 1 ? end : prefix) - at;
}

}  // namespace

std::string NamesInText::replaced_in(std::string_view text) const {
  const std::string lower = to_lower(text);
  const auto is_whole = [&lower](size_t at, size_t end) {
    return (at == 0 || !is_alphanumeric(lower[at - 1])) && (end == lower.size() || !is_alphanumeric(lower[end]));
  };
  std::string out;
  for (size_t at = 0; at < text.size();) {
    size_t length = 0;
    const std::string* name = nullptr;
    for (const auto& [from, to] : known) {
      if (from.size() <= length || lower.compare(at, from.size(), from) != 0) continue;
      if (!is_whole(at, at + from.size())) continue;
      length = from.size();
      name = &to;
    }
    const size_t as_address = address_at(text, at), as_client = client ? client_at(text, at) : 0;
    if (as_address > length) {
      length = as_address;
      out += address(text.substr(at, length));
    } else if (as_client > length) {
      length = as_client;
      out += client(text.substr(at, length));
    } else if (name) {
      out += *name;
    } else {
      length = 1;
      out += text[at];
    }
    at += length;
  }
  return out;
}

}  // namespace policyd
