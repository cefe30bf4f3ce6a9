#include "policyd/admin/account_name.h"

#include "shared/address.h"
#include "shared/charged_name.h"
#include "shared/client_network.h"
#include "shared/config_values.h"
#include "shared/control_octets.h"
#include "shared/text.h"

namespace policyd {

namespace {

Error control_character(std::string_view text) {
  return Error{policyd::quoted(text) + " holds a control character"};
}

// "192.0.2.0/24", "2001:db8::/64", or what looks like one and is none; nothing for other names.
std::optional<Result<Network>> network_in(std::string_view name) {
  const size_t slash = name.find('/');
  if (slash == std::string_view::npos || !IpAddress::parse(name.substr(0, slash))) return std::nullopt;
  return Network::parse(name);
}

struct ModeRow {
  std::string_view mode;
  std::string_view charged;
};
constexpr ModeRow kModes[] = {
    {"login", "a login, or without one the client's address (of IPv6 its /64)"},
    {"domain", "the login's domain, a login without one, or without a login the client's address (of IPv6 its /64)"},
    {"network", "the client's network (of IPv4 a /24, of IPv6 a /64)"},
};

Error not_locked(std::string_view name, std::string_view mode) {
  std::string text = policyd::quoted(name) + " cannot be locked: under traffic.account = \"" + std::string(mode) +
                     "\" mail is charged to ";
  for (const ModeRow& row : kModes) {
    if (row.mode == mode) text += row.charged;
  }
  return Error{text};
}

Result<std::string> lockable_network(const std::string& name, const Network& network, std::string_view mode) {
  const bool shared = network.prefix == client_prefix(network.address);
  if (shared && (network.address.v6 || mode == "network")) return network.to_string();
  return not_locked(name, mode);
}

}  // namespace

Result<std::string> account_name(std::string_view text) {
  if (text.empty()) return parse_account_name(text);
  if (text.find_first_of(std::string_view("\0\n", 2)) != std::string_view::npos) return control_character(text);
  if (const auto address = IpAddress::parse(text)) return client_account(*address);
  if (const auto network = network_in(text); network && network->ok()) {
    const bool single = (*network)->prefix == (*network)->address.bits();
    return single ? client_account((*network)->address) : (*network)->to_string();
  }
  return charged_name(to_lower(text));
}

Result<std::string> settings_name(std::string_view text) {
  if (holds_control(text)) return control_character(text);
  const Result<std::string> name = parse_account_name(charged_name(to_lower(text)));
  return name ? account_name(*name) : name;
}

Result<std::string> lockable_account(std::string_view text, std::string_view mode) {
  Result<std::string> name = account_name(text);
  if (!name) return name;
  if (*name == "default") return not_locked(*name, mode);
  if (const auto network = network_in(*name)) {
    return network->ok() ? lockable_network(*name, **network, mode) : network->error();
  }
  // What looks like a mistake: "@example.com", "joe@".
  if (name->find('@') != std::string::npos) {
    if (const auto parsed = parse_account_name(trim(*name)); !parsed) return parsed.error();
  }
  return name;
}

}  // namespace policyd
