// The networks that clients count for, and whom their mail is charged to.
#include "shared/client_network.h"

#include <doctest/doctest.h>

namespace policyd {
namespace {

TEST_CASE("client network: of IPv4 the /24, of IPv6 the /64; without a login an IPv4 address is charged by itself") {
  const struct {
    std::string_view client, network, account;
  } cases[] = {
      {"192.0.2.7", "192.0.2.0/24", "192.0.2.7"},
      {"255.255.255.255", "255.255.255.0/24", "255.255.255.255"},
      {"0.0.0.0", "0.0.0.0/24", "0.0.0.0"},
      {"::ffff:192.0.2.7", "192.0.2.0/24", "192.0.2.7"},
      {"2001:DB8:1:2:3:4:5:6", "2001:db8:1:2::/64", "2001:db8:1:2::/64"},
      {"::1", "::/64", "::/64"},
  };
  for (const auto& [client, network, account] : cases) {
    CAPTURE(client);
    const IpAddress address = *IpAddress::parse(client);
    CHECK(client_network(address) == network);
    CHECK(client_account(address) == account);
    CHECK(Network::parse(client_network(address))->prefix == client_prefix(address));
  }
}

}  // namespace
}  // namespace policyd
