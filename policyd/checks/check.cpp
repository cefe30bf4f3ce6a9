// What checks say: see check.h.
#include "policyd/checks/check.h"

namespace policyd {

Observation found(size_t index, std::string_view why, std::string_view text) {
  constexpr size_t kShown = 200;
  Outcome outcome;
  outcome.index = index;
  outcome.detail = why;
  outcome.detail.append(": ").append(text.substr(0, kShown));
  Observation observation;
  observation.outcomes.push_back(std::move(outcome));
  return observation;
}

Observation not_done(std::string why) {
  Observation observation;
  observation.error = std::move(why);
  return observation;
}

Observation not_done(const DnsAnswer& answer, std::string_view name) {
  std::string why(answer.status == DnsStatus::timed_out        ? "no DNS answer in time"
                  : answer.status == DnsStatus::server_failure ? "the DNS servers cannot tell (SERVFAIL, REFUSED)"
                  : answer.status == DnsStatus::overloaded     ? "too many DNS questions are under way"
                                                               : "a DNS answer that cannot be read");
  return not_done(std::move(why.append(": ").append(name.substr(0, 200))));
}

}  // namespace policyd
