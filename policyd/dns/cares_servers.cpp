#include "policyd/dns/cares_servers.h"

#include <ares.h>

#include <algorithm>
#include <optional>
#include <string_view>

#include "policyd/dns/cares_sockets.h"
#include "shared/address.h"
#include "shared/text.h"

namespace policyd {

namespace {

std::string with_port(const ares_addr_port_node& server) {
  return server_name(server.family, &server.addr, static_cast<uint16_t>(server.udp_port != 0 ? server.udp_port : 53));
}

std::vector<std::string> servers_of(ares_channel channel) {
  std::vector<std::string> servers;
  ares_addr_port_node* first = nullptr;
  if (ares_get_servers_ports(channel, &first) != ARES_SUCCESS) return servers;
  for (const auto* server = first; server; server = server->next) servers.push_back(with_port(*server));
  ares_free_data(first);
  return servers;
}

// Those of /etc/resolv.conf; where it names none, 127.0.0.1.
Result<std::vector<std::string>> system_servers() {
  ares_channel channel = nullptr;
  ares_options options{};
  if (const int status = ares_init_options(&channel, &options, 0); status != ARES_SUCCESS) {
    return Error{std::string("the system's DNS servers cannot be read: ") + ares_strerror(status)};
  }
  auto servers = servers_of(channel);
  ares_destroy(channel);
  if (servers.empty()) return Error{"/etc/resolv.conf names no DNS server that can be asked"};
  return servers;
}

// "127.0.0.1", "127.0.0.1:5353", "::1", "[::1]", "[::1]:5353" -> with the port. Nothing: it is none of these.
std::optional<std::string> normal_form(std::string_view server) {
  const size_t bracket = server.find(']');
  std::string_view address = server, port = "53";
  if (server.starts_with('[') && bracket != std::string_view::npos) {
    address = server.substr(1, bracket - 1);
    const std::string_view rest = server.substr(bracket + 1);
    if (!rest.empty() && !rest.starts_with(':')) return std::nullopt;
    if (!rest.empty()) port = rest.substr(1);
  } else if (const size_t colon = server.find(':'); colon == server.rfind(':') && colon != std::string_view::npos) {
    address = server.substr(0, colon);
    port = server.substr(colon + 1);
  }
  const auto parsed = IpAddress::parse(address);
  const bool digits = std::all_of(port.begin(), port.end(), is_digit);
  if (!parsed || port.empty() || port.size() > 5 || !digits) return std::nullopt;
  const int number = std::stoi(std::string(port));
  if (number < 1 || number > 65535) return std::nullopt;
  const std::string text = parsed->to_string();
  return (parsed->v6 ? "[" + text + "]" : text) + ":" + std::to_string(number);
}

}  // namespace

Result<std::vector<std::string>> servers_to_ask(const std::vector<std::string>& configured) {
  if (configured.empty()) return system_servers();
  std::vector<std::string> servers;
  for (const std::string& server : configured) {
    auto normal = normal_form(server);
    if (!normal) {
      return Error{quoted(server) + " is no DNS server: an IP address, or one with a port, \"127.0.0.1:53\""};
    }
    servers.push_back(*std::move(normal));
  }
  return servers;
}

}  // namespace policyd
