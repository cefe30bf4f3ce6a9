// reverse_dns: whether the client's address has a name in the DNS, as Postfix reports it.
//
// Postfix has looked already, so nothing is asked here. What it reports cannot be told apart
// further: it says "unknown" for a name that does not exist, and also when its DNS did not answer.
// So the default weights stay well below the thresholds, and `block = true` would refuse mail
// whenever the resolver of Postfix has trouble.
#include "policyd/checks/check.h"

namespace policyd {
namespace {

constexpr std::string_view kUnknown = "unknown";

// The indices of the outcomes in the spec below.
enum : size_t { kMissing, kUnconfirmed };

Observation observe(const Request& request) {
  for (const auto attribute :
       {Attribute::client_address, Attribute::client_name, Attribute::reverse_client_name}) {
    if (!request.get(attribute).empty()) continue;
    return not_done("Postfix did not send " + std::string(attribute_name(attribute)));
  }
  const std::string_view address = request.client_address();
  const std::string_view reverse_name = request.get(Attribute::reverse_client_name);
  const std::string_view confirmed_name = request.get(Attribute::client_name);
  if (address == kUnknown) return not_done("Postfix does not know the client's address");
  if (reverse_name == kUnknown) return found(kMissing, "no name", address);
  if (confirmed_name == kUnknown) return found(kUnconfirmed, address, reverse_name);
  return {};
}

Task<Observation> run(const CheckContext& context) {
  co_return observe(context.request);
}

}  // namespace

CheckRow reverse_dns_check() {
  return {{"reverse_dns",
           "the client's address has a name, and the name leads back to the address",
           {{"missing", "client has no reverse DNS name", 10, 0},
            {"unconfirmed", "client's reverse DNS name does not lead back to its address", 5, 0}}},
          run};
}

}  // namespace policyd
