#include "policyd/score.h"

namespace policyd {

namespace {

void replace(std::string& text, std::string_view what, std::string_view with) {
  for (size_t at = text.find(what); at != std::string::npos; at = text.find(what, at + with.size())) {
    text.replace(at, what.size(), with);
  }
}

}  // namespace

void weigh(const CheckSpec& spec, const CheckSettings& settings, Direction direction, const Observation& observation,
           std::vector<Finding>& findings) {
  if (!observation.error.empty()) {
    findings.push_back({&spec, nullptr, 0, false, observation.error});
    return;
  }
  const auto& weights = settings.weights[static_cast<size_t>(direction)];
  for (const Outcome& outcome : observation.outcomes) {
    if (weights[outcome.index] == 0) continue;
    findings.push_back({&spec, &spec.outcomes[outcome.index], weights[outcome.index], !settings.dry_run, outcome.detail});
  }
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
  for (const Finding& finding : findings) {
    if (!finding.counted || finding.weight <= 0) continue;
    if (!reasons.empty()) reasons += "; ";
    reasons += finding.outcome->reason;
  }
  return reasons;
}

std::string fill_in(std::string text, const std::string& reasons, int score) {
  replace(text, "{reasons}", reasons);
  replace(text, "{score}", std::to_string(score));
  return text;
}

}  // namespace policyd
