// What checks say: see check.h.
#include "policyd/checks/check.h"

namespace policyd {

Observation found(size_t index, std::string_view why, std::string_view text) {
  constexpr size_t kShown = 200;
  Outcome outcome{index, std::string(why)};
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

}  // namespace policyd
