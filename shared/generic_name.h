// Host names that providers make of their customers' addresses: "dsl-192-0-2-7.example.net".
//
// A name is generic if it holds the whole address: its octets in order or reversed, as decimal numbers with anything
// between them, as twelve or eight digits (decimal, hexadecimal), or as one number; of IPv6 its groups or nibbles. A
// part of the address is no sign: mail servers are numbered too. Pure.
#pragma once

#include <string_view>

#include "shared/address.h"

namespace policyd {

// `name` in any case.
bool is_generic_name(std::string_view name, const IpAddress& address);

}  // namespace policyd
