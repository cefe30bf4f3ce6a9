// ehlo: what the client calls itself at EHLO or HELO.
//
// The first that applies is found: our own name or address said by a stranger, an address literal
// that is not the client's, no host name at all, a name without a dot. A client whose address is
// ours or in [traffic] networks is no stranger. A missing name is no finding: Postfix itself can
// insist on one. A name with none of these flaws is looked up: it may not exist, or lead elsewhere
// than to the client. Where the client's address would be needed and is not known, or the DNS does
// not tell, that is an error.
#include <algorithm>

#include "policyd/checks/check.h"
#include "shared/host_name.h"
#include "shared/local_host.h"
#include "shared/text.h"

namespace policyd {
namespace {

// The indices of the outcomes in the spec below.
enum : size_t { kSyntax, kUnqualified, kLiteral, kOurs, kUnresolvable, kMismatch };

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
  const bool ours = address ? is_own_address(*address, context) : is_own_name(name, context.config.traffic);
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

// The name that the DNS is to be asked about; empty: there is nothing to ask.
std::string name_to_look_up(const CheckContext& context) {
  const std::string name = to_lower(without_trailing_dot(context.request.helo_name()));
  if (!context.weighs(kUnresolvable) && !context.weighs(kMismatch)) return {};
  if (name.empty() || name.starts_with('[') || is_own_name(name, context.config.traffic)) return {};
  // What Postfix has confirmed exists and leads to the client.
  const std::string confirmed = to_lower(without_trailing_dot(context.request.get(Attribute::client_name)));
  return name == confirmed ? std::string() : name;
}

// The name exists; whether it leads to the client.
Observation compare(const CheckContext& context, const DnsAnswer& a, const DnsAnswer& aaaa, const std::string& name) {
  if (!context.weighs(kMismatch)) return {};
  const auto client = IpAddress::parse(context.request.client_address());
  if (!client) return not_done("the client's address is not known");
  const DnsAnswer& own = client->v6 ? aaaa : a;
  if (own.unknown()) return not_done(own, name);
  const bool leads_back = std::find(own.addresses.begin(), own.addresses.end(), *client) != own.addresses.end();
  return leads_back ? Observation{} : found(kMismatch, "said by " + client->to_string(), name);
}

Task<Observation> look_up(const CheckContext& context, std::string name) {
  DnsLookup asking_a = context.resolver.query(name, DnsType::a);
  DnsLookup asking_aaaa = context.resolver.query(name, DnsType::aaaa);
  DnsLookup asking_mx = context.resolver.query(name, DnsType::mx);
  const DnsAnswerPtr a = co_await asking_a;
  const DnsAnswerPtr aaaa = co_await asking_aaaa;
  if (a->found() || aaaa->found()) co_return compare(context, *a, *aaaa, name);
  const DnsAnswerPtr mx = co_await asking_mx;
  if (mx->found()) co_return Observation{};
  if (a->unknown()) co_return not_done(*a, name);
  if (aaaa->unknown()) co_return not_done(*aaaa, name);
  if (mx->unknown()) co_return not_done(*mx, name);
  co_return found(kUnresolvable, "neither address nor MX", name);
}

Task<Observation> run(const CheckContext& context) {
  Observation observation = observe(context);
  if (!observation.outcomes.empty() || !observation.error.empty()) co_return observation;
  std::string name = name_to_look_up(context);
  if (name.empty()) co_return observation;
  const auto looking = look_up(context, std::move(name));
  observation = co_await looking;
  co_return observation;
}

}  // namespace

CheckRow ehlo_check() {
  return {{"ehlo",
           "the EHLO name is a fully qualified host name that exists, or the client's address, and not ours",
           {{"syntax", "EHLO name is not a valid host name", 10, 0},
            {"unqualified", "EHLO name is not fully qualified", 10, 0},
            {"literal", "EHLO address literal is not the client's address", 5, 0},
            {"ours", "EHLO name belongs to this server", 20, 0},
            {"unresolvable", "EHLO name does not exist in the DNS", 5, 0},
            {"mismatch", "EHLO name does not lead to the client's address", 0, 0, true}}},
          run,
          {CheckInput::helo_name, CheckInput::client_address, CheckInput::client_name, CheckInput::server_address}};
}

}  // namespace policyd
