#include "shared/public_address.h"

#include <algorithm>
#include <vector>

namespace policyd {

namespace {

const std::vector<Network>& closed_networks() {
  static const std::vector<Network> kNetworks = [] {
    std::vector<Network> networks;
    for (const std::string_view text :
         {"0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12",
          "192.168.0.0/16", "224.0.0.0/3", "::/128", "::1/128", "fc00::/7", "fe80::/10", "ff00::/8"}) {
      networks.push_back(*Network::parse(text));
    }
    return networks;
  }();
  return kNetworks;
}

}  // namespace

bool is_public(const IpAddress& address) {
  const auto& closed = closed_networks();
  return std::none_of(closed.begin(), closed.end(),
                      [&address](const Network& network) { return network.contains(address); });
}

}  // namespace policyd
