// sender_domain: whether mail could be sent back to the envelope sender's domain.
//
// The mail exchangers are looked up (without one the domain is its own: RFC 5321, 5.1), then their addresses. One
// public address is enough. What the `sender` check finds malformed or unqualified, address literals and the null
// sender are not looked up. Where the DNS does not tell, that is an error.
#include <algorithm>
#include <deque>

#include "policyd/checks/check.h"
#include "shared/host_name.h"
#include "shared/public_address.h"
#include "shared/text.h"

namespace policyd {
namespace {

// The indices of the outcomes in the spec below.
enum : size_t { kNoDomain, kNoMail, kNullMx, kBogusMx };

constexpr size_t kMostHosts = 10;  // of more, one that was not looked at may be usable

struct HostLookup {
  HostLookup(Resolver& resolver, std::string name_)
      : name(std::move(name_)), a(resolver.query(name, DnsType::a)), aaaa(resolver.query(name, DnsType::aaaa)) {}
  std::string name;
  DnsLookup a, aaaa;
};

// What is known of the hosts that take a domain's mail.
struct Hosts {
  bool usable = false;   // one has a public address
  DnsAnswerPtr unknown;  // of a look-up that did not tell
  std::string unknown_of;
  std::string example;  // where one leads to: "mx.example.com is 127.0.0.1"
  bool no_domain = false;
};

void take(const std::string& host, const DnsAnswerPtr& answer, Hosts& hosts) {
  if (answer->unknown()) {
    hosts.unknown = answer;
    hosts.unknown_of = host;
  }
  hosts.no_domain |= answer->status == DnsStatus::no_domain;
  for (const IpAddress& address : answer->addresses) {
    hosts.usable |= is_public(address);
    if (hosts.example.empty()) hosts.example = host + " is " + address.to_string();
  }
}

Task<Hosts> look_at(Resolver& resolver, std::vector<std::string> names) {
  std::deque<HostLookup> lookups;
  for (size_t i = 0; i < std::min(names.size(), kMostHosts); ++i) lookups.emplace_back(resolver, names[i]);
  Hosts hosts;
  for (HostLookup& lookup : lookups) {
    DnsLookup& asking_a = lookup.a;
    DnsLookup& asking_aaaa = lookup.aaaa;
    const DnsAnswerPtr a = co_await asking_a;
    take(lookup.name, a, hosts);
    if (hosts.usable) break;
    const DnsAnswerPtr aaaa = co_await asking_aaaa;
    take(lookup.name, aaaa, hosts);
    if (hosts.usable) break;
  }
  co_return hosts;
}

bool is_null_mx(const DnsAnswer& answer) {
  return answer.exchangers.size() == 1 && answer.exchangers[0].host.empty();
}

std::string domain_to_look_up(const Request& request) {
  const std::string_view domain = domain_of(request.sender());
  if (!is_qualified(domain) || !host_name_flaw(domain).empty()) return {};
  return to_lower(without_trailing_dot(domain));
}

Observation conclude(const DnsAnswer& mx, const Hosts& hosts, const std::string& domain) {
  if (hosts.usable || mx.exchangers.size() > kMostHosts) return {};
  if (hosts.unknown) return not_done(*hosts.unknown, hosts.unknown_of);
  if (!hosts.example.empty()) return found(kBogusMx, domain, hosts.example);
  if (mx.found()) return found(kBogusMx, domain, "no MX has an address");
  const bool no_domain = mx.status == DnsStatus::no_domain || mx.status == DnsStatus::bad_name;
  if (no_domain || hosts.no_domain) return found(kNoDomain, "no such domain", domain);
  return found(kNoMail, "no MX and no address", domain);
}

Task<Observation> run(const CheckContext& context) {
  const std::string domain = domain_to_look_up(context.request);
  if (domain.empty()) co_return Observation{};
  DnsLookup asking = context.resolver.query(domain, DnsType::mx);
  const DnsAnswerPtr mx = co_await asking;
  if (mx->unknown()) co_return not_done(*mx, domain);
  if (is_null_mx(*mx)) co_return found(kNullMx, "null MX (RFC 7505)", domain);

  std::vector<std::string> names;
  for (const MailExchanger& each : mx->exchangers) {
    if (!each.host.empty()) names.push_back(each.host);
  }
  if (names.empty()) names.push_back(domain);
  const auto looking = look_at(context.resolver, std::move(names));
  const Hosts hosts = co_await looking;
  co_return conclude(*mx, hosts, domain);
}

}  // namespace

CheckRow sender_domain_check() {
  return {{"sender_domain",
           "the envelope sender's domain exists and takes mail",
           {{"no_domain", "sender domain does not exist", 15, 0},
            {"no_mail", "sender domain has neither MX nor address", 10, 0},
            {"null_mx", "sender domain takes no mail (null MX)", 10, 0},
            {"bogus_mx", "sender domain has no mail server with a public address", 10, 0}}},
          run,
          {CheckInput::sender_domain}};
}

}  // namespace policyd
