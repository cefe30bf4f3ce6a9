#include "shared/client_network.h"

#include <charconv>
#include <cstddef>

namespace policyd {

std::string client_network(const IpAddress& client) {
  const int prefix = client_prefix(client);
  if (client.v6) return Network{client.masked(prefix), prefix}.to_string();
  // Asked for each recipient: inet_ntop takes ten times as long.
  std::string network;
  for (size_t octet = 0; octet < static_cast<size_t>(prefix) / 8; ++octet) {
    char digits[4];
    network.append(digits, std::to_chars(digits, digits + sizeof digits, client.octets[octet]).ptr).push_back('.');
  }
  return network + "0/" + std::to_string(prefix);
}

std::string client_account(const IpAddress& client) { return client.v6 ? client_network(client) : client.to_string(); }

}  // namespace policyd
