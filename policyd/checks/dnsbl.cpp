// dnsbl: DNS lists of client addresses (RFC 5782), each with a filter and weights of its own.
//
// How lists are asked, and how one that cannot be relied on is kept out of it, is policyd/dnsbl/.
#include "policyd/checks/check.h"
#include "policyd/dnsbl/listings.h"

namespace policyd {
namespace {

Task<Observation> run(const CheckContext& context) {
  const auto client = IpAddress::parse(context.request.client_address());
  if (!client) co_return not_done("the client's address is not known");
  std::vector<ListSubject> subjects(1);
  subjects[0].question = reversed(*client);
  subjects[0].noun = "client";
  auto groups = context.zones.of("dnsbl");
  const auto finding = find_listings(context, std::move(groups), std::move(subjects));
  Observation observation = co_await finding;
  co_return observation;
}

}  // namespace

CheckRow dnsbl_check() {
  return {{"dnsbl",
           "the client's address is on no DNS list",
           {{"listed", "client is on a DNS list", 10, 0}},
           ZoneKind::addresses},
          run,
          {CheckInput::client_address}};
}

}  // namespace policyd
