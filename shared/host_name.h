// The syntax of host names and of address literals.
//
// Host names as Postfix judges them (valid_hostname): letters, digits, hyphens within a label, and
// the underscore, which RFC 1123 does not know but half the world uses; with SMTPUTF8 (RFC 6531)
// letters beyond ASCII too. One trailing dot is tolerated. Pure; nothing here looks a name up.
#pragma once

#include <optional>
#include <string_view>

#include "shared/address.h"

namespace policyd {

// Why `name` is no host name, as the rest of a sentence that begins with it ("has an empty label");
// empty: it is one. It need not be fully qualified.
std::string_view host_name_flaw(std::string_view name);

// Whether the name has a dot, other than at its end.
bool is_qualified(std::string_view name);

// "example.com." without its dot.
std::string_view without_trailing_dot(std::string_view name);

// The address of a literal as RFC 5321, 4.1.3 writes it: "[192.0.2.1]", "[IPv6:2001:db8::1]", the
// tag in any case. Nothing where `text` is none: "[2001:db8::1]", "[IPv6:192.0.2.1]", "192.0.2.1".
std::optional<IpAddress> parse_address_literal(std::string_view text);

}  // namespace policyd
