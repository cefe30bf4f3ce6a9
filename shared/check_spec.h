// How a check presents itself to the configuration, the docs and the logs: its name, outcomes and default weights.
#pragma once

#include <string_view>
#include <vector>

namespace policyd {

// One thing that a check can find, with its default weight for each direction (0 = not applied).
struct OutcomeSpec {
  std::string_view name;     // "missing"
  std::string_view reason;   // for replies and logs: "client has no reverse DNS name"
  int incoming = 0;
  int outgoing = 0;
};

struct CheckSpec {
  std::string_view name;     // the key under [checks]: "reverse_dns"
  std::string_view summary;  // one line for docs and listings
  std::vector<OutcomeSpec> outcomes;
};

}  // namespace policyd
