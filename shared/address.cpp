// IP addresses and networks: see address.h.
//
// Writing the text forms, and reading those of IPv6, is left to inet_ntop and inet_pton, as Postfix does, so that
// both print an address alike. What is no address is an empty optional; what is no network is an
// Error that says why.
#include "shared/address.h"

#include <algorithm>
#include <arpa/inet.h>
#include <charconv>
#include <cstring>

#include "shared/text.h"

namespace policyd {
namespace {

constexpr std::array<uint8_t, 12> kMappedPrefix{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
constexpr int kMappedBits = 96;

// "[2001:db8::1]" as Postfix's mynetworks has it; without brackets as it is.
std::string_view without_brackets(std::string_view text) {
  const bool bracketed = text.size() >= 2 && text.front() == '[' && text.back() == ']';
  return bracketed ? text.substr(1, text.size() - 2) : text;
}

std::optional<int> parse_prefix(std::string_view text, int maximum) {
  int prefix = 0;
  const char* end = text.data() + text.size();
  const auto [stop, failure] = std::from_chars(text.data(), end, prefix);
  const bool whole = failure == std::errc() && stop == end;
  if (!whole || prefix < 0 || prefix > maximum || text.front() == '-') return std::nullopt;
  return prefix;
}

Error not_a_network(std::string_view text) {
  return {quoted(text) +
          " is not an IP address or network; expected e.g. 192.0.2.0/24 or 2001:db8::/32"};
}

Error bad_prefix(std::string_view text, int minimum, int maximum) {
  return {quoted(text) + ": the prefix length is a number from " + std::to_string(minimum) +
          " to " + std::to_string(maximum)};
}

// Four numbers up to 255 without leading zeros, as inet_pton takes them; for every request, so done without it.
std::optional<IpAddress> parse_v4(std::string_view text) {
  IpAddress address;
  size_t at = 0;
  for (int part = 0; part < 4; ++part) {
    if (part > 0 && (at == text.size() || text[at++] != '.')) return std::nullopt;
    const size_t begin = at;
    unsigned number = 0;
    while (at < text.size() && at < begin + 3 && is_digit(text[at])) number = number * 10 + unsigned(text[at++] - '0');
    const size_t digits = at - begin;
    if (digits == 0 || number > 255 || (digits > 1 && text[begin] == '0')) return std::nullopt;
    address.octets[static_cast<size_t>(part)] = static_cast<uint8_t>(number);
  }
  return at == text.size() ? std::optional(address) : std::nullopt;
}

}  // namespace

std::optional<IpAddress> IpAddress::parse(std::string_view text) {
  if (text.find(':') == std::string_view::npos) return parse_v4(text);
  std::array<char, INET6_ADDRSTRLEN> buffer;
  if (text.size() < 2 || text.size() >= buffer.size()) return std::nullopt;
  // inet_pton would stop at a NUL and take what is before it for the whole.
  if (std::memchr(text.data(), '\0', text.size()) != nullptr) return std::nullopt;
  std::memcpy(buffer.data(), text.data(), text.size());
  buffer[text.size()] = '\0';

  IpAddress address;
  std::array<uint8_t, 16> octets;
  if (inet_pton(AF_INET6, buffer.data(), octets.data()) != 1) return std::nullopt;
  if (std::memcmp(octets.data(), kMappedPrefix.data(), kMappedPrefix.size()) == 0) {
    std::copy(octets.begin() + kMappedPrefix.size(), octets.end(), address.octets.begin());
    return address;
  }
  address.octets = octets;
  address.v6 = true;
  return address;
}

std::string IpAddress::to_string() const {
  std::array<char, INET6_ADDRSTRLEN> buffer;
  // Cannot fail: the family is known and the buffer holds the longest form.
  return inet_ntop(v6 ? AF_INET6 : AF_INET, octets.data(), buffer.data(), buffer.size());
}

IpAddress IpAddress::masked(int prefix) const {
  IpAddress result = *this;
  const int kept = std::clamp(prefix, 0, bits());
  auto first = static_cast<size_t>(kept / 8);
  if (kept % 8 != 0) {
    result.octets[first] &= static_cast<uint8_t>(0xff << (8 - kept % 8));
    ++first;
  }
  std::fill(result.octets.begin() + static_cast<ptrdiff_t>(first), result.octets.end(), uint8_t{0});
  return result;
}

Result<Network> Network::parse(std::string_view text) {
  const size_t slash = text.find('/');
  const std::string_view host = without_brackets(text.substr(0, slash));
  const std::optional<IpAddress> parsed = IpAddress::parse(host);
  if (!parsed) return not_a_network(text);
  if (slash == std::string_view::npos) return Network{*parsed, parsed->bits()};

  // [::ffff:127.0.0.0]/104, which Debian writes into mynetworks, is 127.0.0.0/8.
  const bool mapped = !parsed->v6 && host.find(':') != std::string_view::npos;
  const int minimum = mapped ? kMappedBits : 0;
  const int maximum = minimum + parsed->bits();
  const std::optional<int> prefix = parse_prefix(text.substr(slash + 1), maximum);
  if (!prefix || *prefix < minimum) return bad_prefix(text, minimum, maximum);

  const Network network{parsed->masked(*prefix - minimum), *prefix - minimum};
  if (network.address != *parsed) {
    return Error{std::string(text) + ": host bits are set; did you mean " + network.to_string() +
                 "?"};
  }
  return network;
}

std::string Network::to_string() const {
  if (prefix == address.bits()) return address.to_string();
  return address.to_string() + "/" + std::to_string(prefix);
}

bool Network::contains(const IpAddress& other) const {
  if (other.v6 != address.v6) return false;
  const auto whole = static_cast<size_t>(prefix / 8);
  if (std::memcmp(other.octets.data(), address.octets.data(), whole) != 0) return false;
  const int rest = prefix % 8;
  return rest == 0 || ((other.octets[whole] ^ address.octets[whole]) >> (8 - rest)) == 0;
}

size_t IpAddressHash::operator()(const IpAddress& address) const {
  uint64_t high = 0;
  uint64_t low = 0;
  std::memcpy(&high, address.octets.data(), sizeof high);
  std::memcpy(&low, address.octets.data() + sizeof high, sizeof low);
  uint64_t hash = high * 0x9e3779b97f4a7c15 + (low ^ (address.v6 ? 1 : 0));
  hash = (hash ^ (hash >> 33)) * 0xff51afd7ed558ccd;
  return static_cast<size_t>(hash ^ (hash >> 33));
}

}  // namespace policyd
