#include "policyd/check_plan.h"

#include <string_view>
#include <utility>

namespace policyd {

CheckPlan::CheckPlan(std::shared_ptr<const Config> config_) : config(std::move(config_)) {
  writes_headers = !config->score.header.empty();
  std::vector<std::string_view> names;
  for (const CheckRow& row : check_table()) {
    const CheckSettings& of_check = config->checks.find(row.spec.name)->second;
    for (const Direction direction : {Direction::incoming, Direction::outgoing}) {
      applied[static_cast<size_t>(direction)].set(names.size(), of_check.applies(direction));
    }
    settings.push_back(&of_check);
    writes_headers |= of_check.header;
    names.push_back(row.spec.name);
  }
  names.push_back(kGreylistName);
  applied[static_cast<size_t>(Direction::incoming)].set(greylisting(), config->greylist.enabled);
  allow = AllowList(config->allow, names);
}

}  // namespace policyd
