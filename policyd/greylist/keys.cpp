#include "policyd/greylist/keys.h"

#include <fmt/format.h>
#include <algorithm>
#include <array>
#include <charconv>
#include <vector>

#include "shared/client_network.h"
#include "shared/generic_name.h"
#include "shared/host_name.h"
#include "shared/rewritten_address.h"
#include "shared/text.h"

namespace policyd {

namespace {

bool is_word(char c) { return is_digit(c) || (c >= 'a' && c <= 'z') || static_cast<uint8_t>(c) >= 0x80; }
size_t digits_in(std::string_view text) {
  return static_cast<size_t>(std::count_if(text.begin(), text.end(), is_digit));
}

// As in "example.co.uk".
constexpr std::array<std::string_view, 22> kSecondLevels = {"ac", "co",  "com", "edu", "go",  "gob", "gouv", "gov",
                                                            "gv", "id",  "ltd", "mil", "ne",  "net", "nhs",  "nom",
                                                            "or", "org", "plc", "res", "sch", "web"};

// The whole of a key where it is short, else its beginning and a hash of the whole.
std::string shortened(std::string key) {
  if (key.size() <= kLongestGreylistKey) return key;
  const std::string hash = fmt::format("#{:016x}", stable_hash(key));
  key.resize(kLongestGreylistKey - hash.size());
  return key + hash;
}

// A key as it is stored.
std::string stored(std::string_view text) {
  std::string key;
  key.reserve(text.size());
  for (const char c : text) {
    const bool plain = c > ' ' && c != '>' && c != '%' && c != 0x7f;
    if (plain || static_cast<uint8_t>(c) >= 0x80) {
      key.push_back(c);
    } else {
      key += fmt::format("%{:02X}", static_cast<uint8_t>(c));
    }
  }
  return shortened(std::move(key));
}

// The runs of digits in a name, as numbers.
std::vector<unsigned> numbers_in(std::string_view text) {
  std::vector<unsigned> numbers;
  for (size_t at = 0; at < text.size();) {
    unsigned number = 0;
    const auto [end, error] = std::from_chars(text.data() + at, text.data() + text.size(), number);
    const auto length = static_cast<size_t>(end - text.data()) - at;
    if (length > 0 && error == std::errc()) numbers.push_back(number);
    at += std::max<size_t>(length, 1);
  }
  return numbers;
}

// The last two octets.
bool holds_part_of_v4(std::string_view host, const IpAddress& address) {
  const auto& octets = address.octets;
  const std::vector<unsigned> numbers = numbers_in(host);
  const auto count = [&numbers](unsigned octet) { return std::count(numbers.begin(), numbers.end(), octet); };
  return octets[2] == octets[3] ? count(octets[3]) >= 2 : count(octets[2]) > 0 && count(octets[3]) > 0;
}

// The last 64 bits, in the order of ip6.arpa too.
bool holds_part_of_v6(std::string_view host, const IpAddress& address) {
  std::string hex, bare;
  for (size_t i = 8; i < address.octets.size(); ++i) hex += fmt::format("{:02x}", address.octets[i]);
  std::copy_if(host.begin(), host.end(), std::back_inserter(bare), is_word);
  const std::string nibbles(hex.rbegin(), hex.rend());
  return bare.find(hex) != std::string::npos || bare.find(nibbles) != std::string::npos;
}

// "srs0=hash=day=example.org=ann" without hash and day, given "hash=day=example.org=ann".
std::string_view after_srs_stamp(std::string_view text) {
  const size_t hash = text.find('=');
  const size_t day = hash == std::string_view::npos ? hash : text.find('=', hash + 1);
  return day == std::string_view::npos ? text : text.substr(day + 1);
}

// Sender Rewriting Scheme: the separator after the tag may be any of "=+-".
std::string without_srs_stamps(std::string_view local) {
  constexpr size_t kTag = 5;
  const std::string_view rest = local.substr(kTag);
  if (local.starts_with("srs0")) return "srs0=" + std::string(after_srs_stamp(rest));
  // srs1=HASH=forwarder==HASH=DAY=example.org=ann
  const size_t hash = rest.find('=');
  const size_t inner = hash == std::string_view::npos ? hash : rest.find('=', hash + 1);
  if (inner == std::string_view::npos || inner + 2 > rest.size()) return std::string(local);
  return fmt::format("srs1={}=={}", rest.substr(hash + 1, inner - hash - 1), after_srs_stamp(rest.substr(inner + 2)));
}

bool is_number_like(std::string_view word) {
  const size_t digits = digits_in(word);
  if (digits == word.size()) return true;
  if (word.size() >= 8 && digits > 0 && is_hex(word)) return true;
  return word.size() >= 16 && digits >= 4;
}

std::string without_numbers(std::string_view local) {
  std::string out;
  for (size_t at = 0; at < local.size();) {
    const size_t end = static_cast<size_t>(std::find_if_not(local.begin() + at, local.end(), is_word) - local.begin());
    const std::string_view word = local.substr(at, end - at);
    if (!word.empty()) out += is_number_like(word) ? std::string_view("#") : word;
    if (end < local.size()) out.push_back(local[end]);
    at = end + 1;
  }
  return out;
}

}  // namespace

std::string_view operator_domain(std::string_view host_name) {
  host_name = without_trailing_dot(host_name);
  const size_t last = host_name.rfind('.');
  if (last == std::string_view::npos || last == 0) return {};
  const auto label_before = [host_name](size_t dot) {
    const size_t before = host_name.rfind('.', dot - 1);
    return before == std::string_view::npos ? size_t{0} : before + 1;
  };
  const size_t second = label_before(last);
  const bool country = host_name.size() - last - 1 == 2;
  const std::string_view label = host_name.substr(second, last - second);
  const bool shared = country && std::find(kSecondLevels.begin(), kSecondLevels.end(), label) != kSecondLevels.end();
  if (!shared || second == 0) return host_name.substr(second);
  return host_name.substr(second < 2 ? 0 : label_before(second - 1));
}

bool is_made_of_address(std::string_view host_name, const IpAddress& address) {
  const std::string name = to_lower(without_trailing_dot(host_name));
  const std::string_view host = std::string_view(name).substr(0, name.size() - operator_domain(name).size());
  return is_generic_name(host, address) ||
         (address.v6 ? holds_part_of_v6(host, address) : holds_part_of_v4(host, address));
}

std::optional<std::string> greylist_client(const std::optional<IpAddress>& address, std::string_view confirmed_name,
                                           std::string_view identity) {
  const std::string_view domain = confirmed_name == "unknown" ? std::string_view() : operator_domain(confirmed_name);
  if (!domain.empty() && !(address && is_made_of_address(confirmed_name, *address))) return stored(to_lower(domain));
  if (!identity.empty()) return stored(to_lower(without_trailing_dot(identity)));
  if (!address) return std::nullopt;
  return client_network(*address);
}

std::string greylist_sender(std::string_view sender) {
  const std::string lower = to_lower(sender);
  const size_t at = lower.rfind('@');
  const std::string_view whole = lower;
  std::string_view local = without_batv_tag(whole.substr(0, at));
  const std::string_view domain = at == std::string::npos ? std::string_view() : without_trailing_dot(whole.substr(at));
  std::string key;
  if (is_srs(local)) {
    key = without_srs_stamps(local);
  } else {
    if (const size_t plus = local.find('+'); plus > 0) local = local.substr(0, plus);
    key = without_numbers(local);
  }
  return stored(key.append(domain));
}

std::string greylist_recipient(std::string_view recipient) { return stored(to_lower(recipient)); }

}  // namespace policyd
