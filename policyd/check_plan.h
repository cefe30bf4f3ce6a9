// What a configuration says of the checks, at hand for every request. A request under way keeps the plan it began with.
#pragma once

#include <array>
#include <memory>
#include <vector>

#include "policyd/allow.h"
#include "policyd/checks/check.h"
#include "policyd/recent_observations.h"
#include "shared/config.h"

namespace policyd {

struct CheckPlan {
  explicit CheckPlan(std::shared_ptr<const Config> config);

  // Greylisting is no check, but it can be skipped as if it were one: its place in a CheckSet.
  static size_t greylisting() { return check_table().size(); }

  std::shared_ptr<const Config> config;
  std::vector<const CheckSettings*> settings;  // as in check_table()
  std::array<CheckSet, 2> applied;             // by Direction
  AllowList allow;
  bool writes_headers = false;  // mail that goes on may be given header fields
  // What was found under this configuration.
  const std::unique_ptr<RecentObservations> recent = std::make_unique<RecentObservations>();
};

}  // namespace policyd
