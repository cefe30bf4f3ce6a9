// The Received-SPF header (RFC 7208, 9.1).
#pragma once

#include <string>

#include "policyd/spf/spf.h"

namespace policyd {

// Its value, what follows "Received-SPF: ": one line of printable ASCII of at most kLongestReceivedSpf octets, whatever
// the client and the domain's owner say. Overlong values are cut and end in "..."; pairs that do not fit are left out.
inline constexpr size_t kLongestReceivedSpf = 900;
std::string received_spf(const SpfQuery& query, const SpfOutcome& outcome);

}  // namespace policyd
