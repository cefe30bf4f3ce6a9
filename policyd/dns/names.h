// Names as the DNS is asked for them: lower case, A-labels, no dot at the end, within the sizes of RFC 1035.
//
// A dot separates labels; every other octet stands for itself, so that what a stranger wrote is asked for as it is:
// underscores (_dmarc), spaces and backslashes are legal in the DNS, if not in host names. Only a NUL is not. Labels
// beyond ASCII have to be UTF-8 and become A-labels (RFC 5891, UTS #46 non-transitional: "straße" is not "strasse").
// Pure.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace policyd {

class DnsName {
 public:
  static constexpr size_t kLongestName = 253;  // RFC 1035, 2.3.4: 255 octets with their lengths and the root
  static constexpr size_t kLongestLabel = 63;

  DnsName() {}  // the text is left as it is: 0 octets of it are the name
  // Nothing where it cannot be asked for: empty, an empty label, too long, a NUL, no UTF-8, no valid U-label. One dot
  // at the end is taken off. A name in ASCII costs no allocation.
  static std::optional<DnsName> parse(std::string_view text);

  [[nodiscard]] std::string_view view() const { return {text_, size_}; }

 private:
  bool take(std::string_view ascii);

  char text_[kLongestName];
  uint8_t size_ = 0;
};

// "münchen" -> "xn--mnchen-3ya"; ASCII stays as it is, in any case. Nothing where it is not UTF-8 or no valid U-label.
std::optional<std::string> to_a_label(std::string_view label);

}  // namespace policyd
