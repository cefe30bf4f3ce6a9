// The Received-SPF header (RFC 7208, 9.1).
#pragma once

#include <string>

#include "policyd/spf/spf.h"

namespace policyd {

// Its value, what follows "Received-SPF: ": one line of printable ASCII of at most `longest` octets (100 or more),
// whatever the client and the domain's owner say. Overlong values are cut and end in "..."; the comment, or a
// pair, that does not fit is left out.
inline constexpr size_t kLongestReceivedSpf = 900;
std::string received_spf(const SpfQuery& query, const SpfOutcome& outcome, size_t longest = kLongestReceivedSpf);

}  // namespace policyd
