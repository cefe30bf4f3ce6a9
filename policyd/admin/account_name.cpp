#include "policyd/admin/account_name.h"

#include <algorithm>

#include "shared/address.h"
#include "shared/config_values.h"
#include "shared/text.h"

namespace policyd {

namespace {

constexpr int kAccountPrefix = 64;  // an IPv6 client without a login is charged by its /64

}  // namespace

Result<std::string> account_name(std::string_view text) {
  const auto is_control = [](char c) { return static_cast<uint8_t>(c) < 0x20 || c == 0x7f; };
  if (std::any_of(text.begin(), text.end(), is_control))
    return Error{policyd::quoted(text) + " holds a control character"};
  Result<std::string> name = parse_account_name(text);
  if (!name) return name;
  const auto address = IpAddress::parse(*name);
  if (!address) return name;
  if (!address->v6) return address->to_string();
  return Network{address->masked(kAccountPrefix), kAccountPrefix}.to_string();
}

}  // namespace policyd
