#include "policyd/dns/resolver.h"

namespace policyd {

namespace {

DnsAnswerPtr given_up() {
  static const DnsAnswerPtr kTimedOut = std::make_shared<const DnsAnswer>();
  return kTimedOut;
}

}  // namespace

DnsLookup::DnsLookup(DnsQuery& query) : query_(&query), next_(query.first_) {
  if (next_) next_->previous_ = this;
  query.first_ = this;
}

void DnsLookup::leave() noexcept {
  if (!query_) return;
  (previous_ ? previous_->next_ : query_->first_) = next_;
  if (next_) next_->previous_ = previous_;
  query_ = nullptr;
  next_ = previous_ = nullptr;
}

void DnsQuery::answer(const DnsAnswerPtr& answer, Milliseconds took) {
  // Each goes off the list before it goes on, as it may drop any of the others; a look-up that nobody awaits yet has
  // its answer when it is.
  while (DnsLookup* const lookup = first_) {
    lookup->leave();
    lookup->answer_ = answer;
    lookup->took_ = took;
    if (lookup->waiter_) lookup->waiter_.resume();
  }
}

DnsQuery::~DnsQuery() {
  while (DnsLookup* const lookup = first_) {
    lookup->leave();
    lookup->answer_ = given_up();
  }
}

std::string reversed(const IpAddress& address) {
  constexpr std::string_view kHex = "0123456789abcdef";
  std::string name;
  if (!address.v6) {
    for (size_t i = 4; i-- > 0;) name.append(std::to_string(address.octets[i])).append(i > 0 ? "." : "");
    return name;
  }
  for (size_t i = 16; i-- > 0;) {
    name.append({kHex[address.octets[i] & 0x0f], '.', kHex[address.octets[i] >> 4]});
    if (i > 0) name.push_back('.');
  }
  return name;
}

std::string reverse_name(const IpAddress& address) {
  return reversed(address) + (address.v6 ? ".ip6.arpa" : ".in-addr.arpa");
}

}  // namespace policyd
