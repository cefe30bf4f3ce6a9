// How a check presents itself to the configuration, the docs and the logs: its name, outcomes and default weights.
#pragma once

#include <bitset>
#include <string_view>
#include <vector>

#include "shared/dns_zone.h"

namespace policyd {

inline constexpr size_t kMostChecks = 32;
using CheckSet = std::bitset<kMostChecks>;  // in the order of check_table()

// Greylisting as [[allow]] names it among the checks to skip.
inline constexpr std::string_view kGreylistName = "greylist";

// One thing that a check can find, with its default weight for each direction (0 = not applied).
struct OutcomeSpec {
  std::string_view name;     // "missing"
  std::string_view reason;   // for replies and logs: "client has no reverse DNS name"
  int incoming = 0;
  int outgoing = 0;
  // A number for the whole check does not reach it, but for 0: it speaks for the mail, or is common and harmless.
  bool by_name_only = false;
  // The recipient cannot get mail: it counts as an invalid one of the account that mails it.
  bool invalid_recipient = false;
};

struct CheckSpec {
  std::string_view name;     // the key under [checks]: "reverse_dns"
  std::string_view summary;  // one line for docs and listings
  std::vector<OutcomeSpec> outcomes;
  // A check of DNS lists has entries [[checks.NAME.zones]]; the weights of its one outcome are those of entries without
  // weights of their own.
  ZoneKind zones = ZoneKind::none;
  // The key that has the check write a header field into incoming mail; empty: it has none to write.
  std::string_view header_key{};
  // It may find out a name by which greylisting knows the client.
  bool identifies_client = false;
  // It has entries [[checks.NAME.domains]], each a domain with its keys (shared/batv.h); without one it is not applied.
  bool batv_domains = false;
};

}  // namespace policyd
