#include "policyd/report/decision.h"

#include <algorithm>

#include "policyd/score.h"

namespace policyd {

bool Decision::by_findings() const {
  return verdict_.cause == Cause::check || verdict_.cause == Cause::score ||
         (verdict_.cause == Cause::greylist && config_.greylist.min_score > 0);
}

bool Decision::hangs_on(const std::function<bool(const Finding&)>& of) const {
  if (!by_findings()) return false;
  int sum = 0;
  bool blocked = false;
  for (const Finding& finding : verdict_.findings) {
    if (!finding.counted || of(finding)) continue;
    sum += finding.weight;
    blocked |= finding.weight > 0 && config_.checks.find(finding.check->name)->second.block;
  }
  if (verdict_.cause == Cause::greylist) return sum < config_.greylist.min_score;
  const auto& thresholds = config_.score.thresholds[static_cast<size_t>(verdict_.direction)];
  return (blocked ? Action::reject : action_for(thresholds, sum)) < verdict_.action;
}

}  // namespace policyd
