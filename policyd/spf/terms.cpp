// What the mechanisms look up and compare (RFC 7208, section 5): see evaluation.h.
#include <algorithm>
#include <utility>

#include "policyd/spf/evaluation.h"

namespace policyd {

Task<SpfEvaluation::Match> SpfEvaluation::match_target(const SpfDirective& directive, const std::string& target) {
  switch (directive.mechanism) {
    case SpfMechanism::include: return match_include(target);
    case SpfMechanism::mx: return match_exchangers(directive, target);
    case SpfMechanism::ptr: return match_client_names(directive, target);
    default: return match_addresses(directive, target);
  }
}

// RFC 7208, 5.2: the table of what the other record's result means here.
Task<SpfEvaluation::Match> SpfEvaluation::match_include(const std::string& target) {
  const auto checking = check_host(target, true);
  const SpfResult result = co_await checking;
  switch (result) {
    case SpfResult::pass: co_return Match::yes;
    case SpfResult::temperror: co_return Match::temperror;
    case SpfResult::permerror:
    case SpfResult::none: co_return Match::permerror;
    default: co_return Match::no;
  }
}

// "a"; and "exists", which asks for A records whatever the client's address is, and for no more than that there are
// some.
Task<SpfEvaluation::Match> SpfEvaluation::match_addresses(const SpfDirective& directive, const std::string& target) {
  const bool exists = directive.mechanism == SpfMechanism::exists;
  auto lookup = resolver_.query(target, exists ? DnsType::a : address_type());
  look_ahead(lookup);
  const DnsAnswerPtr answer = co_await lookup;
  if (const Match doubt = doubt_in(answer->status, directive, target); doubt != Match::no) co_return doubt;
  const auto is_client = [&](const IpAddress& address) { return directive.covers(address, query_.client); };
  const auto& addresses = answer->addresses;
  const bool matched = exists ? answer->found() : std::any_of(addresses.begin(), addresses.end(), is_client);
  co_return matched ? Match::yes : Match::no;
}

// "mx": the addresses are asked for together, and looked at in the order of preference.
Task<SpfEvaluation::Match> SpfEvaluation::match_exchangers(const SpfDirective& directive, const std::string& target) {
  auto lookup = resolver_.query(target, DnsType::mx);
  look_ahead(lookup);
  const DnsAnswerPtr answer = co_await lookup;
  if (const Match doubt = doubt_in(answer->status, directive, target); doubt != Match::no) co_return doubt;
  if (answer->exchangers.size() > kSpfMostNames)
    co_return give_up(Match::permerror, target + " has more than 10 mail exchangers");
  std::vector<std::string_view> hosts;
  for (const MailExchanger& exchanger : answer->exchangers) hosts.push_back(exchanger.host);
  const auto lookups = ask_addresses(hosts);
  bool found_nothing = false;
  for (size_t i = 0; i < lookups.size(); ++i) {
    if (!lookups[i]) continue;
    DnsLookup& asked = *lookups[i];
    look_ahead(asked);
    const DnsAnswerPtr host = co_await asked;
    // However many exchangers have no address, it is one term whose look-ups find nothing (RFC 7208, 4.6.4).
    if (!host->empty() || !std::exchange(found_nothing, true)) {
      if (const Match doubt = doubt_in(host->status, directive, hosts[i]); doubt != Match::no) co_return doubt;
    }
    for (const IpAddress& address : host->addresses) {
      if (directive.covers(address, query_.client)) co_return Match::yes;
    }
  }
  co_return Match::no;
}

// "ptr".
Task<SpfEvaluation::Match> SpfEvaluation::match_client_names(const SpfDirective& directive, const std::string& target) {
  const auto finding = find_client_names();
  co_await finding;
  if (has_no_pointer_) co_return doubt_in(DnsStatus::no_domain, directive, target);
  const auto& names = *client_names_;
  const bool matched =
      std::any_of(names.begin(), names.end(), [&](const std::string& name) { return is_within(name, target); });
  co_return matched ? Match::yes : Match::no;
}

// The names of the client that lead back to it (RFC 7208, 5.5), of the first ten. What cannot be looked up is left
// out.
Task<void> SpfEvaluation::find_client_names() {
  if (client_names_) co_return;
  const std::string pointer = reverse_name(query_.client);
  auto lookup = resolver_.query(pointer, DnsType::ptr);
  look_ahead(lookup);
  const DnsAnswerPtr answer = co_await lookup;
  has_no_pointer_ = answer->empty();
  outcome.names_unknown |= answer->unknown();
  std::vector<std::string_view> hosts(answer->texts.begin(), answer->texts.end());
  if (hosts.size() > kSpfMostNames) hosts.resize(kSpfMostNames);
  const auto lookups = ask_addresses(hosts);
  std::vector<std::string> names;
  for (size_t i = 0; i < lookups.size(); ++i) {
    if (!lookups[i]) continue;
    DnsLookup& asked = *lookups[i];
    look_ahead(asked);
    const DnsAnswerPtr host = co_await asked;
    const auto& addresses = host->addresses;
    outcome.names_unknown |= host->unknown();
    if (std::find(addresses.begin(), addresses.end(), query_.client) != addresses.end()) names.emplace_back(hosts[i]);
  }
  client_names_ = std::move(names);
}

// All at once. Null where the name is none that can be asked for: "." (RFC 7505), a single label.
std::vector<std::unique_ptr<DnsLookup>> SpfEvaluation::ask_addresses(const std::vector<std::string_view>& hosts) {
  std::vector<std::unique_ptr<DnsLookup>> lookups;
  for (const std::string_view host : hosts) {
    lookups.emplace_back(is_askable(host) ? new DnsLookup(resolver_.query(host, address_type())) : nullptr);
  }
  return lookups;
}

}  // namespace policyd
