#include "policyd/admin/account_name.h"

#include <algorithm>

#include "shared/address.h"
#include "shared/charged_name.h"
#include "shared/config_values.h"
#include "shared/text.h"

namespace policyd {

namespace {

constexpr int kAccountPrefix = 64;  // an IPv6 client without a login is charged by its /64

Error control_character(std::string_view text) {
  return Error{policyd::quoted(text) + " holds a control character"};
}

// A client address as mail without a login is charged to.
std::string of_client(const IpAddress& address) {
  if (!address.v6) return address.to_string();
  return Network{address.masked(kAccountPrefix), kAccountPrefix}.to_string();
}

// "192.0.2.0/24", "2001:db8::/64", or what looks like one and is none; nothing for other names.
std::optional<Result<Network>> network_in(std::string_view name) {
  const size_t slash = name.find('/');
  if (slash == std::string_view::npos || !IpAddress::parse(name.substr(0, slash))) return std::nullopt;
  return Network::parse(name);
}

}  // namespace

Result<std::string> account_name(std::string_view text) {
  if (text.empty()) return parse_account_name(text);
  if (text.find_first_of(std::string_view("\0\n", 2)) != std::string_view::npos) return control_character(text);
  if (const auto address = IpAddress::parse(text)) return of_client(*address);
  if (const auto network = network_in(text); network && network->ok()) {
    const bool single = (*network)->prefix == (*network)->address.bits();
    return single ? of_client((*network)->address) : (*network)->to_string();
  }
  return charged_name(to_lower(text));
}

Result<std::string> settings_name(std::string_view text) {
  const auto is_control = [](char c) { return static_cast<uint8_t>(c) < 0x20 || c == 0x7f; };
  if (std::any_of(text.begin(), text.end(), is_control)) return control_character(text);
  const Result<std::string> name = parse_account_name(text);
  return name ? account_name(*name) : name;
}

}  // namespace policyd
