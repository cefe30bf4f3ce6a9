// ehlo: what the client calls itself at EHLO or HELO.
//
// The first that applies is found: our own name or address said by a stranger, an address literal
// that is not the client's, no host name at all, a name without a dot. A client whose address is
// ours or in [traffic] networks is no stranger. A missing name is no finding: Postfix itself can
// insist on one. Where the client's address would be needed and is not known, that is an error.
#include <algorithm>

#include "policyd/checks/check.h"
#include "shared/host_name.h"
#include "shared/local_host.h"
#include "shared/text.h"

namespace policyd {
namespace {

// The indices of the outcomes in the spec below.
enum : size_t { kSyntax, kUnqualified, kLiteral, kOurs };

// A host that does not know its full name has to be told it in own_names.
bool is_own_name(std::string_view name, const Config::Traffic& traffic) {
  const std::string lower = to_lower(without_trailing_dot(name));
  if (traffic.own_names.empty()) return !lower.empty() && lower == local_host_name();
  return std::any_of(traffic.own_names.begin(), traffic.own_names.end(),
                     [&](const std::string& own) { return without_trailing_dot(own) == lower; });
}

bool is_in(const std::vector<Network>& networks, const IpAddress& address) {
  return std::any_of(networks.begin(), networks.end(),
                     [&](const Network& network) { return network.contains(address); });
}

bool is_own_address(const IpAddress& address, const CheckContext& context) {
  return IpAddress::parse(context.request.get(Attribute::server_address)) == address ||
         is_in(context.config.traffic.own_addresses, address);
}

bool is_stranger(const IpAddress& client, const CheckContext& context) {
  return !is_own_address(client, context) && !is_in(context.config.traffic.networks, client);
}

// What a name is that needs nothing else to be judged.
Observation observe_syntax(std::string_view name, bool is_address) {
  if (is_address) return found(kSyntax, "a bare address, a literal has brackets", name);
  const std::string_view flaw = host_name_flaw(name);
  if (!flaw.empty()) return found(kSyntax, flaw, name);
  if (!is_qualified(name)) return found(kUnqualified, "no dot", name);
  return {};
}

Observation observe(const CheckContext& context) {
  const std::string_view name = context.request.helo_name();
  if (name.empty()) return {};
  const auto literal = parse_address_literal(name);
  const auto address = literal ? literal : IpAddress::parse(name);
  const bool ours =
      address ? is_own_address(*address, context) : is_own_name(name, context.config.traffic);
  if (!ours && !literal) return observe_syntax(name, address.has_value());

  const std::string_view client_text = context.request.client_address();
  const auto client = IpAddress::parse(client_text);
  if (!client) {
    return not_done("the client's address is not known: client_address=" + quoted(client_text));
  }
  const std::string who = "said by " + client->to_string();
  if (ours && is_stranger(*client, context)) return found(kOurs, who, name);
  if (!literal) return observe_syntax(name, address.has_value());
  return *literal == *client ? Observation{} : found(kLiteral, who, name);
}

Task<Observation> run(const CheckContext& context) {
  co_return observe(context);
}

}  // namespace

CheckRow ehlo_check() {
  return {{"ehlo",
           "the EHLO name is a fully qualified host name, or the client's address, and not ours",
           {{"syntax", "EHLO name is not a valid host name", 10, 0},
            {"unqualified", "EHLO name is not fully qualified", 10, 0},
            {"literal", "EHLO address literal is not the client's address", 5, 0},
            {"ours", "EHLO name belongs to this server", 20, 0}}},
          run};
}

}  // namespace policyd
