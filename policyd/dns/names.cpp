#include "policyd/dns/names.h"

#include <idn2.h>

#include <algorithm>

namespace policyd {

namespace {

bool is_ascii(std::string_view text) {
  unsigned all = 0;
  for (const char c : text) all |= static_cast<uint8_t>(c);
  return all < 0x80;
}

// Label by label, so that what ASCII labels hold is not judged: UTS #46 knows host names only.
std::optional<std::string> to_a_labels(std::string_view name) {
  std::string ascii;
  for (;;) {
    const size_t dot = name.find('.');
    const auto label = to_a_label(name.substr(0, dot));
    if (!label) return std::nullopt;
    ascii += *label;
    if (dot == std::string_view::npos) return ascii;
    ascii.push_back('.');
    name.remove_prefix(dot + 1);
  }
}

}  // namespace

std::optional<std::string> to_a_label(std::string_view label) {
  if (is_ascii(label)) return std::string(label);
  // libidn2 takes text that ends in a NUL, and time that grows with the square of its length.
  if (label.size() > 4 * DnsName::kLongestName || label.find('\0') != std::string_view::npos) return std::nullopt;
  char* converted = nullptr;
  if (idn2_to_ascii_8z(std::string(label).c_str(), &converted, IDN2_NFC_INPUT | IDN2_NONTRANSITIONAL) != IDN2_OK) {
    return std::nullopt;
  }
  std::string ascii(converted);
  idn2_free(converted);
  return ascii;
}

// This stands on the way of every look-up that is in the cache: the first loop is one that compilers make vectors of.
bool DnsName::take(std::string_view ascii) {
  if (ascii.ends_with('.')) ascii.remove_suffix(1);
  const size_t size = ascii.size();
  if (size == 0 || size > kLongestName) return false;
  bool has_nul = false;
  for (size_t i = 0; i < size; ++i) {
    const char c = ascii[i];
    has_nul |= c == '\0';
    text_[i] = static_cast<char>(c + (c >= 'A' && c <= 'Z' ? 'a' - 'A' : 0));
  }
  size_ = static_cast<uint8_t>(size);
  size_t label = 0;
  for (size_t i = 0; i < size; ++i) {
    const bool dot = text_[i] == '.';
    if ((dot && label == 0) || label > kLongestLabel) return false;
    label = dot ? 0 : label + 1;
  }
  return label > 0 && label <= kLongestLabel && !has_nul;
}

std::optional<DnsName> DnsName::parse(std::string_view text) {
  std::optional<DnsName> name(std::in_place);
  if (is_ascii(text)) {
    if (!name->take(text)) name.reset();
    return name;
  }
  const auto ascii = to_a_labels(text);
  if (!ascii || !name->take(*ascii)) name.reset();
  return name;
}

}  // namespace policyd
