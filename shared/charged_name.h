// The name that mail is charged under: of a login, or a domain, of any length.
//
// Names are keys of the store and paths of the admin API, so they have a bound; what is beyond it is cut, and a hash
// tells it from others that begin alike. Pure.
#pragma once

#include <string>
#include <string_view>

namespace policyd {

constexpr size_t kLongestAccountName = 1024;  // octets

// `name`, which is in lower case, where it has at most kLongestAccountName octets; else its first 512 octets, '~' and
// 40 hexadecimal digits (HMAC-SHA1 of all of it), then its domain, whose settings hold for it. What this returns stays
// as it is.
std::string charged_name(std::string_view name);

}  // namespace policyd
