// reverse_dns: whether the client's address has a name in the DNS that leads back to it.
//
// Postfix has looked already: where it reports a confirmed name, nothing is asked. But it says "unknown" for a name
// that does not exist, for one that does not lead back, and also when its DNS did not answer. So "unknown" is looked up
// here, where these can be told apart: PTR, then the addresses of its names. What the DNS does not tell is an error,
// never a finding.
#include <algorithm>
#include <deque>

#include "policyd/checks/check.h"
#include "shared/generic_name.h"
#include "shared/host_name.h"
#include "shared/text.h"

namespace policyd {
namespace {

constexpr std::string_view kUnknown = "unknown";
constexpr size_t kMostNames = 10;

// The indices of the outcomes in the spec below.
enum : size_t { kMissing, kUnconfirmed, kGeneric };

std::string_view known(const Request& request, Attribute attribute) {
  const std::string_view name = request.get(attribute);
  return name == kUnknown ? std::string_view() : name;
}

struct Forward {
  Forward(Resolver& resolver, std::string name_, DnsType type)
      : name(std::move(name_)), lookup(resolver.query(name, type)) {}
  std::string name;
  DnsLookup lookup;
};

// Asks where a name leads to, unless that has been asked or it can be no host's.
void ask(std::deque<Forward>& forwards, Resolver& resolver, std::string_view text, DnsType type) {
  const std::string name = to_lower(without_trailing_dot(text));
  const bool asked =
      std::any_of(forwards.begin(), forwards.end(), [&name](const Forward& each) { return each.name == name; });
  if (asked || forwards.size() >= kMostNames || !host_name_flaw(name).empty()) return;
  forwards.emplace_back(resolver, name, type);
}

void add_generic(std::string_view name, const IpAddress& client, Observation& observation) {
  if (!is_generic_name(name, client)) return;
  Observation generic = found(kGeneric, client.to_string(), name);
  observation.outcomes.push_back(std::move(generic.outcomes.front()));
}

Observation confirmed(std::string_view name, const IpAddress& client) {
  Observation observation;
  add_generic(name, client, observation);
  return observation;
}

Observation unconfirmed(std::string_view name, const IpAddress& client) {
  Observation observation = found(kUnconfirmed, client.to_string(), name);
  add_generic(name, client, observation);
  return observation;
}

Task<Observation> look_up(const CheckContext& context, IpAddress client) {
  const std::string_view reported = known(context.request, Attribute::reverse_client_name);
  const DnsType forward_type = client.v6 ? DnsType::aaaa : DnsType::a;
  std::deque<Forward> forwards;
  const std::string reverse = reverse_name(client);
  DnsLookup asking = context.resolver.query(reverse, DnsType::ptr);
  if (!reported.empty()) ask(forwards, context.resolver, reported, forward_type);
  const DnsAnswerPtr pointers = co_await asking;
  for (const std::string& name : pointers->texts) ask(forwards, context.resolver, name, forward_type);

  std::string_view name = reported;
  if (name.empty() && !pointers->texts.empty()) name = pointers->texts.front();
  if (name.empty() && pointers->empty()) co_return found(kMissing, "no name", client.to_string());
  DnsAnswerPtr unknown;
  if (pointers->unknown()) unknown = pointers;
  for (Forward& forward : forwards) {
    DnsLookup& lookup = forward.lookup;
    const DnsAnswerPtr answer = co_await lookup;
    const auto& addresses = answer->addresses;
    if (std::find(addresses.begin(), addresses.end(), client) != addresses.end())
      co_return confirmed(forward.name, client);
    if (answer->unknown()) unknown = answer;
  }
  if (unknown) co_return not_done(*unknown, reverse);
  co_return unconfirmed(name, client);
}

Task<Observation> run(const CheckContext& context) {
  const auto client = IpAddress::parse(context.request.client_address());
  if (!client) co_return not_done("the client's address is not known");
  const std::string_view name = known(context.request, Attribute::client_name);
  if (!name.empty()) co_return confirmed(name, *client);
  const auto looking = look_up(context, *client);
  Observation observation = co_await looking;
  co_return observation;
}

}  // namespace

CheckRow reverse_dns_check() {
  return {{"reverse_dns",
           "the client's address has a name of its own, and the name leads back to the address",
           {{"missing", "client has no reverse DNS name", 10, 0},
            {"unconfirmed", "client's reverse DNS name does not lead back to its address", 5, 0},
            {"generic", "client's reverse DNS name is made of its address", 5, 0}},
           ZoneKind::none,
           {},
           true},
          run,
          {CheckInput::client_address, CheckInput::client_name, CheckInput::reverse_client_name}};
}

}  // namespace policyd
