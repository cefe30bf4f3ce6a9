#include "policyd/score.h"

#include <algorithm>

#include "shared/text.h"

namespace policyd {

void weigh(const CheckSpec& spec, const CheckSettings& settings, Direction direction, const Observation& observation,
           std::vector<Finding>& findings) {
  const auto& weights = settings.weights[static_cast<size_t>(direction)];
  for (const Outcome& outcome : observation.outcomes) {
    const int weight = outcome.weights ? (*outcome.weights)[static_cast<size_t>(direction)] : weights[outcome.index];
    if (weight == 0) continue;
    const OutcomeSpec* const found = &spec.outcomes[outcome.index];
    findings.push_back({&spec, found, weight, !settings.dry_run, outcome.detail, outcome.reason, outcome.zone});
  }
  if (!observation.error.empty()) findings.push_back({&spec, nullptr, 0, false, observation.error});
}

int sum_of(const std::vector<Finding>& findings) {
  int sum = 0;
  for (const Finding& finding : findings) {
    if (finding.counted) sum += finding.weight;
  }
  return sum;
}

Action action_for(const Thresholds& thresholds, int score) {
  const auto reached = [score](int threshold) { return threshold > 0 && score >= threshold; };
  if (reached(thresholds.reject)) return Action::reject;
  if (reached(thresholds.hold)) return Action::hold;
  if (reached(thresholds.defer)) return Action::defer;
  return Action::dunno;
}

std::string reasons_of(const std::vector<Finding>& findings) {
  std::string reasons;
  std::vector<std::string_view> said;
  for (const Finding& finding : findings) {
    if (!finding.counted || finding.weight <= 0) continue;
    const std::string_view reason = finding.reason.empty() ? finding.outcome->reason : std::string_view(finding.reason);
    if (std::find(said.begin(), said.end(), reason) != said.end()) continue;
    said.push_back(reason);
    if (!reasons.empty()) reasons += "; ";
    reasons += reason;
  }
  return reasons;
}

std::string fill_in(std::string text, const std::string& reasons, int score) {
  return replaced(replaced(std::move(text), "{reasons}", reasons), "{score}", std::to_string(score));
}

}  // namespace policyd
