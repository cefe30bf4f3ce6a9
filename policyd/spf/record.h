// The SPF record: which of a domain's TXT records it is, and its terms (RFC 7208, 4.5, 4.6.1 and section 12).
//
// Pure. The whole record is held to the grammar before anything of it is evaluated: one flaw anywhere, and there is
// no record, but an Error that quotes the term and says what is wrong with it. Views point into the record's text.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "shared/address.h"
#include "shared/result.h"

namespace policyd {

// RFC 7208, 2.6.
enum class SpfResult : uint8_t { none, neutral, pass, fail, softfail, temperror, permerror };
std::string_view spf_result_name(SpfResult result);  // "softfail"

enum class SpfMechanism : uint8_t { all, include, a, mx, ptr, ip4, ip6, exists };

struct SpfDirective {
  SpfMechanism mechanism = SpfMechanism::all;
  SpfResult qualifier = SpfResult::pass;  // the result where it matches
  uint8_t prefix_v4 = 32;                 // a, mx: of every address that is found; ip4, ip6: of `address`
  uint8_t prefix_v6 = 128;
  IpAddress address;             // ip4, ip6; an IPv4-mapped IPv6 address stays one, as no client has such an address
  std::string_view domain_spec;  // with its macros; empty: none is given, <domain> is meant
  std::string_view text;         // the whole term as it was published: "-a:example.com/24"

  // The terms that RFC 7208, 4.6.4 limits to ten.
  [[nodiscard]] bool asks_dns() const {
    return mechanism != SpfMechanism::all && mechanism != SpfMechanism::ip4 && mechanism != SpfMechanism::ip6;
  }
  // Whether `client` and `other`, of one family, agree in their first bits, as many as the term says.
  [[nodiscard]] bool covers(const IpAddress& other, const IpAddress& client) const {
    return Network{other, client.v6 ? prefix_v6 : prefix_v4}.contains(client);
  }
  // "all", and "ip4" and "ip6" that hold `client`: known to match without a look-up.
  [[nodiscard]] bool matches_at_once(const IpAddress& client) const {
    return mechanism == SpfMechanism::all || (!asks_dns() && covers(address, client));
  }
};

struct SpfRecord {
  std::vector<SpfDirective> directives;
  std::string_view redirect;  // the modifiers' domain-specs; empty: not there
  std::string_view exp;
};

// `text`: the strings of one TXT record joined, with its version section.
Result<SpfRecord> parse_spf_record(std::string_view text);

// Of the texts of a domain's TXT records those that are SPF records: how many, and the first.
struct SpfSelection {
  size_t count = 0;
  std::string_view text;
};
SpfSelection select_spf_record(const std::vector<std::string>& texts);

}  // namespace policyd
