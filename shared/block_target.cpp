// What a block is known by: see block.h.
//
// Each type is a row: its name, an example and how its targets are brought into canonical form.
// Requests are compared with that form octet by octet, so whatever two people may write for one
// thing has to become the same text here, and the canonical form of a canonical form is itself.
// What cannot match any request is an Error, never a silent entry.
#include <algorithm>
#include <array>

#include "shared/address.h"
#include "shared/block.h"
#include "shared/client_network.h"
#include "shared/control_octets.h"
#include "shared/text.h"

namespace policyd {
namespace {

constexpr size_t kMaximumTarget = 320;  // RFC 5321, 4.5.3.1: local part 64, '@', domain 255

constexpr bool is_name_octet(char c) {
  return is_alphanumeric(c) || c == '-' || c == '_' || c == '.' || static_cast<uint8_t>(c) >= 0x80;
}
bool is_number_octet(char c) {
  return is_digit(c) || c == '.';
}

Error refused(std::string_view target, std::string_view reason) {
  return {quoted(target).append(reason)};
}

// What no target may be, of whatever type.
Result<void> check_octets(std::string_view target) {
  if (target.empty()) return Error{"the target is empty"};
  if (target.size() > kMaximumTarget) return refused(target, " is longer than 320 octets");
  if (holds_control(target)) return refused(target, " holds a control character");
  if (!is_utf8(target)) return refused(target, " is not valid UTF-8");
  return {};
}

// "example.com." is the same name as example.com.
std::string_view without_last_dot(std::string_view name) {
  if (name.ends_with('.')) name.remove_suffix(1);
  return name;
}

// ".example.com" is how other programs write "and what lies below".
std::string_view without_first_dot(std::string_view name) {
  if (name.starts_with('.')) name.remove_prefix(1);
  return name;
}

bool has_empty_part(std::string_view name) {
  return name.empty() || name.starts_with('.') || name.ends_with('.') ||
         name.find("..") != std::string_view::npos;
}

Result<std::string> literal_of(std::string_view text, std::string_view name) {
  if (auto literal = canonical_literal(name)) return std::move(*literal);
  return refused(text,
                 " is not an address literal; expected e.g. [192.0.2.1] or [IPv6:2001:db8::1]");
}

Result<std::string> canonical_name(std::string_view text) {
  const std::string_view name = without_last_dot(text);
  if (name.starts_with('[')) return literal_of(text, name);
  const auto bad = std::find_if_not(name.begin(), name.end(), is_name_octet);
  if (bad != name.end()) {
    return refused(text, " is not a domain name: it holds " + quoted({bad, bad + 1}) +
                             "; expected e.g. example.com, which covers what lies below it");
  }
  if (has_empty_part(name)) {
    return refused(
        text, " is not a domain name: a part between its dots is empty; expected e.g. example.com");
  }
  return to_lower(name);
}

// Postfix sends addresses without their quoting, people copy them with it: "joe smith"@example.com
// is known by its bare local part. One that still looks quoted afterwards is left alone, lest it
// lose another layer the next time.
std::string unquoted_local(std::string_view local) {
  if (local.size() < 3 || !local.starts_with('"') || !local.ends_with('"'))
    return std::string(local);
  std::string bare;
  for (size_t i = 1; i + 1 < local.size(); ++i) {
    if (local[i] == '\\' && i + 2 < local.size()) ++i;
    bare += local[i];
  }
  const bool still_quoted = bare.starts_with('"') && bare.ends_with('"');
  return still_quoted ? std::string(local) : bare;
}

Result<std::string> canonical_email(std::string_view text) {
  const size_t at = text.rfind('@');
  if (at == std::string_view::npos)
    return refused(text, " has no domain; expected e.g. joe@example.com");
  if (at == 0)
    return refused(text, " has no local part; a whole domain is blocked with the type domain");
  const Result<std::string> domain = canonical_name(text.substr(at + 1));
  if (!domain) return Error{quoted(text) + ": " + domain.error().message};
  return to_lower(unquoted_local(text.substr(0, at))) + "@" + *domain;
}

Result<std::string> canonical_domain(std::string_view text) {
  return canonical_name(without_first_dot(text.starts_with('@') ? text.substr(1) : text));
}

Result<std::string> canonical_recipient(std::string_view text) {
  const size_t at = text.rfind('@');
  return at == 0 || at == std::string_view::npos ? canonical_domain(text) : canonical_email(text);
}

// Clients say at EHLO what they like, and it is just the odd names that one wants to block.
Result<std::string> canonical_ehlo(std::string_view text) {
  const std::string_view name = without_last_dot(without_first_dot(text));
  if (name.starts_with('[')) return literal_of(text, name);
  if (name.empty() || name.starts_with('.') || name.ends_with('.')) {
    return refused(text, " is not an EHLO name; expected e.g. host.example.com");
  }
  if (name.find(' ') != std::string_view::npos) {
    return refused(text, " is not an EHLO name: it holds a space; expected e.g. host.example.com");
  }
  return to_lower(name);
}

bool is_numeric(std::string_view text) {
  return text.find_first_of(":/[") != std::string_view::npos ||
         std::all_of(text.begin(), text.end(), is_number_octet);
}

Result<std::string> canonical_client(std::string_view text) {
  if (!is_numeric(text)) return canonical_name(without_first_dot(text));
  const Result<Network> network = Network::parse(text);
  if (!network) return network.error();
  return network->to_string();
}

// A login is anything; what is an address is the account of clients without a login.
Result<std::string> canonical_account(std::string_view text) {
  const std::optional<IpAddress> address = IpAddress::parse(text.substr(0, text.find('/')));
  if (!address) return to_lower(text);
  if (text.find('/') == std::string_view::npos) return client_account(*address);
  const Result<Network> network = Network::parse(text);
  if (!network) return network.error();
  if (network->to_string() != client_account(network->address)) {
    return refused(text,
                   " is not an account: without a login that is an IPv4 address or an IPv6 /64; "
                   "a network is blocked with the type client");
  }
  return network->to_string();
}

struct TypeRow {
  BlockType type;
  std::string_view name;
  Result<std::string> (*canonical)(std::string_view target);
};
constexpr std::array<TypeRow, kBlockTypes> kTypes{{
    {BlockType::email, "email", canonical_email},
    {BlockType::domain, "domain", canonical_domain},
    {BlockType::ehlo, "ehlo", canonical_ehlo},
    {BlockType::client, "client", canonical_client},
    {BlockType::account, "account", canonical_account},
    {BlockType::recipient, "recipient", canonical_recipient},
}};

const TypeRow& type_row(BlockType type) {
  for (const TypeRow& row : kTypes) {
    if (row.type == type) return row;
  }
  std::abort();  // a BlockType without a row
}

}  // namespace

std::string_view block_type_name(BlockType type) {
  return type_row(type).name;
}

std::optional<BlockType> parse_block_type(std::string_view name) {
  for (const TypeRow& row : kTypes) {
    if (row.name == name) return row.type;
  }
  return std::nullopt;
}

std::optional<std::string> canonical_literal(std::string_view text) {
  constexpr std::string_view kTag = "ipv6:";
  if (text.size() < 2 || text.front() != '[' || text.back() != ']') return std::nullopt;
  text = text.substr(1, text.size() - 2);
  const bool tagged = to_lower(text.substr(0, kTag.size())) == kTag;
  if (tagged) text.remove_prefix(kTag.size());
  const std::optional<IpAddress> address = IpAddress::parse(text);
  const bool ipv6_text = text.find(':') != std::string_view::npos;
  if (!address || (tagged && !ipv6_text)) return std::nullopt;
  return std::string("[").append(address->v6 ? kTag : "").append(address->to_string()).append("]");
}

Result<BlockTarget> BlockTarget::make(BlockType type, std::string_view target) {
  const TypeRow& row = type_row(type);
  const std::string prefix = std::string(row.name) + " block: ";
  const Result<void> checked = check_octets(target);
  if (!checked) return Error{prefix + checked.error().message};
  Result<std::string> canonical = row.canonical(target);
  if (!canonical) return Error{prefix + canonical.error().message};
  return BlockTarget{type, std::move(*canonical)};
}

Result<BlockTarget> BlockTarget::infer(std::string_view target) {
  if (const Result<void> checked = check_octets(target); !checked)
    return Error{"block: " + checked.error().message};
  const size_t at = target.rfind('@');
  if (at == 0) return make(BlockType::domain, target);
  if (at != std::string_view::npos) return make(BlockType::email, target);
  // "[192.0.2.1]" may mean the client or what it said at EHLO.
  const bool ambiguous = target.starts_with('[') && target.ends_with(']');
  if (!ambiguous && is_numeric(target)) return make(BlockType::client, target);
  if (!ambiguous && target.find('.') != std::string_view::npos)
    return make(BlockType::domain, target);
  return Error{"block: " + quoted(target) +
               " may be of several types; say which with --type email, domain, ehlo, client, "
               "account or recipient"};
}

}  // namespace policyd
