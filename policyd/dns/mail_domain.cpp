#include "policyd/dns/mail_domain.h"

#include <algorithm>
#include <deque>
#include <utility>
#include <vector>

#include "shared/host_name.h"
#include "shared/public_address.h"
#include "shared/text.h"

namespace policyd {

namespace {

using State = MailDomain::State;

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

MailDomain unknown(DnsAnswerPtr answer, std::string asked) {
  MailDomain result{State::unknown, {}, {}, {}, {}};
  result.answer = std::move(answer);
  result.asked = std::move(asked);
  return result;
}

MailDomain said(State state, std::string why, std::string about) {
  return {state, std::move(why), std::move(about), nullptr, {}};
}

MailDomain conclude(const DnsAnswer& mx, const Hosts& hosts, const std::string& domain) {
  if (hosts.usable || mx.exchangers.size() > kMostHosts) return {};
  if (hosts.unknown) return unknown(hosts.unknown, hosts.unknown_of);
  if (!hosts.example.empty()) return said(State::bogus_mx, domain, hosts.example);
  if (mx.found()) return said(State::bogus_mx, domain, "no MX has an address");
  const bool no_domain = mx.status == DnsStatus::no_domain || mx.status == DnsStatus::bad_name;
  if (no_domain || hosts.no_domain) return said(State::no_domain, "no such domain", domain);
  return said(State::no_mail, "no MX and no address", domain);
}

}  // namespace

std::string mail_domain_of(std::string_view address) {
  const std::string_view domain = domain_of(address);
  if (!is_qualified(domain) || !host_name_flaw(domain).empty()) return {};
  return to_lower(without_trailing_dot(domain));
}

Task<MailDomain> look_up_mail_domain(Resolver& resolver, std::string domain) {
  DnsLookup asking = resolver.query(domain, DnsType::mx);
  const DnsAnswerPtr mx = co_await asking;
  if (mx->unknown()) co_return unknown(mx, domain);
  if (is_null_mx(*mx)) co_return said(State::null_mx, "null MX (RFC 7505)", domain);

  std::vector<std::string> names;
  for (const MailExchanger& each : mx->exchangers) {
    if (!each.host.empty()) names.push_back(each.host);
  }
  if (names.empty()) names.push_back(domain);
  const auto looking = look_at(resolver, std::move(names));
  const Hosts hosts = co_await looking;
  co_return conclude(*mx, hosts, domain);
}

}  // namespace policyd
