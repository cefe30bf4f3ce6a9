// Mail that some checks are not applied to: an entry of [[allow]].
//
// It holds for a request if any of its clients, recipients or sender domains does. Names cover what lies below them. An
// envelope sender proves nothing, so a sender domain holds only with proof: SPF passed, or the client's confirmed name
// lies in it.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "shared/address.h"
#include "shared/result.h"

namespace policyd {

// A network, or a confirmed client name with what lies below it.
struct AllowedClient {
  std::optional<Network> network;
  std::string name;  // lower case, where it is no network
  // "192.0.2.0/24", "mx.example.com", ".example.com" (the same as "example.com").
  static Result<AllowedClient> parse(std::string_view text);
  [[nodiscard]] std::string to_string() const { return network ? network->to_string() : name; }
  bool operator==(const AllowedClient&) const = default;
};

struct AllowEntry {
  std::vector<AllowedClient> clients;
  std::vector<std::string> sender_domains;  // lower case
  std::vector<std::string> recipients;      // lower case: "abuse@example.com", "postmaster" (of every domain)
  std::vector<std::string> skip;            // names of checks, or "all"
  bool operator==(const AllowEntry&) const = default;
};

// A domain with what lies below it: lower-cased, without the dot that may stand before or after it.
Result<std::string> parse_covering_domain(std::string_view text);
// An address, or a local part alone; lower-cased.
Result<std::string> parse_allowed_recipient(std::string_view text);

// Whether `name` is `domain` or lies below it; both in lower case.
bool lies_within(std::string_view name, std::string_view domain);

}  // namespace policyd
