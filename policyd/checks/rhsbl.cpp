// rhsbl: DNS lists of domain names (RFC 5782), asked about the sender's domain, the EHLO name and the client's
// confirmed name.
//
// Addresses and names without a dot are not asked about: lists answer those with errors. The null sender has no domain.
#include <algorithm>

#include "policyd/checks/check.h"
#include "policyd/dnsbl/listings.h"
#include "shared/host_name.h"
#include "shared/text.h"

namespace policyd {
namespace {

void add(std::vector<ListSubject>& subjects, std::string_view text, ListedName name, std::string_view noun) {
  if (text.empty() || !is_qualified(text) || !host_name_flaw(text).empty()) return;
  std::string question = to_lower(without_trailing_dot(text));
  const unsigned bit = 1U << static_cast<unsigned>(name);
  const auto same = std::find_if(subjects.begin(), subjects.end(),
                                 [&question](const ListSubject& subject) { return subject.question == question; });
  if (same != subjects.end()) {
    same->names |= bit;
  } else {
    subjects.push_back({std::move(question), noun, bit});
  }
}

Task<Observation> run(const CheckContext& context) {
  std::vector<ListSubject> subjects;
  add(subjects, domain_of(context.request.sender()), ListedName::sender, "sender domain");
  add(subjects, context.request.helo_name(), ListedName::ehlo, "EHLO name");
  add(subjects, context.request.get(Attribute::client_name), ListedName::client, "client name");
  auto groups = context.zones.of("rhsbl");
  const auto finding = find_listings(context, std::move(groups), std::move(subjects));
  Observation observation = co_await finding;
  co_return observation;
}

}  // namespace

CheckRow rhsbl_check() {
  return {{"rhsbl",
           "neither the sender's domain nor the client's names are on a DNS list",
           {{"listed", "a name of the sender is on a DNS list", 10, 0}},
           ZoneKind::names},
          run,
          {CheckInput::sender_domain, CheckInput::helo_name, CheckInput::client_name}};
}

}  // namespace policyd
