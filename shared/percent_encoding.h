// Percent-encoding of URLs (RFC 3986, 2.1). Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace policyd {

// All but letters, digits, -._~ and the octets of `keep` as %XX.
std::string percent_encode(std::string_view text, std::string_view keep = {});

// Nothing where a '%' is not followed by two hexadecimal digits.
std::optional<std::string> percent_decode(std::string_view text);

}  // namespace policyd
