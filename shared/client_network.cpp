#include "shared/client_network.h"

#include <array>
#include <cstddef>
#include <string_view>

namespace policyd {

std::string client_network(const IpAddress& client) {
  if (client.v6) return Network{client.masked(client_prefix(client)), client_prefix(client)}.to_string();
  // Asked for each recipient: inet_ntop takes ten times as long.
  static_assert(client_prefix(IpAddress{}) == 24, "three octets, and 0/24");
  std::array<char, sizeof "255.255.255.0/24"> text;
  size_t size = 0;
  const auto put = [&text, &size](int character) { text[size++] = static_cast<char>(character); };
  for (size_t octet = 0; octet < 3; ++octet) {
    const int number = client.octets[octet];
    if (number >= 100) put('0' + number / 100);
    if (number >= 10) put('0' + number / 10 % 10);
    put('0' + number % 10);
    put('.');
  }
  for (const char character : std::string_view("0/24")) put(character);
  return std::string(text.data(), size);
}

std::string client_account(const IpAddress& client) { return client.v6 ? client_network(client) : client.to_string(); }

}  // namespace policyd
