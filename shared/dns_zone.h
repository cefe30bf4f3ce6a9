// A zone of DNS lists, as the configuration names it: an entry of [[checks.dnsbl.zones]] or [[checks.rhsbl.zones]].
//
// Several entries may name the same zone, with different filters and weights: the zone is asked once. The zone's name
// may hold the key of a paid list, so it is never shown to clients; `label` is.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "shared/answer_filter.h"

namespace policyd {

// What the zones of a check list (RFC 5782): client addresses, or domain names.
enum class ZoneKind : uint8_t { none, addresses, names };

// Which name of a request a list of names is asked about.
enum class ListedName : uint8_t { sender, ehlo, client };
inline constexpr std::array<std::string_view, 3> kListedNames = {"sender", "ehlo", "client"};

struct ZoneSettings {
  std::string zone;              // lower case, without the dot at its end
  AnswerFilter answers;          // which answers count
  std::string label;             // for replies and logs; empty: "a DNS list", and the zone in logs
  std::array<int, 2> weights{};  // by Direction; 0: not applied there
  std::vector<ListedName> names = {ListedName::sender, ListedName::ehlo, ListedName::client};  // lists of names only
  bool operator==(const ZoneSettings&) const = default;
};

}  // namespace policyd
