// The network that a client counts for: of IPv4 its /24, of IPv6 its /64, which is one customer's at least.
//
// Pure.
#pragma once

#include <string>

#include "shared/address.h"

namespace policyd {

constexpr int client_prefix(const IpAddress& client) { return client.v6 ? 64 : 24; }

// "192.0.2.0/24", "2001:db8::/64".
std::string client_network(const IpAddress& client);

// Whom mail of a client without a login is charged to: an IPv4 address is an account of its own, of IPv6 the network.
std::string client_account(const IpAddress& client);

}  // namespace policyd
