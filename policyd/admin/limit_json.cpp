#include "policyd/admin/limit_json.h"

#include <algorithm>

#include "shared/duration.h"

namespace policyd {

Json limit_to_json(const Limit& limit, int64_t used) {
  return {{"meter", meter_name(limit.meter)},
          {"limit", limit.to_string()},
          {"maximum", limit.maximum},
          {"window", format_duration(limit.window)},
          {"used", used},
          {"left", std::max<int64_t>(limit.maximum - used, 0)}};
}

}  // namespace policyd
