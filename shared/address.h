// IP addresses and networks.
//
// Pure. IPv4-mapped IPv6 addresses (::ffff:192.0.2.1) are their IPv4 address throughout, as Postfix
// reports them. Text forms follow RFC 5952.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "shared/result.h"

namespace policyd {

struct IpAddress {
  std::array<uint8_t, 16> octets{};  // network order; an IPv4 address fills the first four
  bool v6 = false;

  static std::optional<IpAddress> parse(std::string_view text);
  [[nodiscard]] std::string to_string() const;
  [[nodiscard]] int bits() const { return v6 ? 128 : 32; }
  // The address with everything past the first `prefix` bits set to zero.
  [[nodiscard]] IpAddress masked(int prefix) const;
  bool operator==(const IpAddress&) const = default;
};

struct Network {
  IpAddress address;  // host bits are zero
  int prefix = 0;

  // "192.0.2.0/24", "2001:db8::/32", or a single address. Host bits set is an Error that names the
  // network that was probably meant.
  static Result<Network> parse(std::string_view text);
  [[nodiscard]] std::string to_string() const;  // without "/32" and "/128" for a single address
  [[nodiscard]] bool contains(const IpAddress& address) const;
  bool operator==(const Network&) const = default;
};

struct IpAddressHash {
  size_t operator()(const IpAddress& address) const;
};

}  // namespace policyd
