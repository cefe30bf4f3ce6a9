// A limit and what its window holds as JSON: {"meter": "messages", "limit": "60/1m", "maximum": 60, "window": "1m",
// "used": 12, "left": 48}. Pure.
#pragma once

#include <cstdint>

#include "policyd/admin/json.h"
#include "shared/limits.h"

namespace policyd {

Json limit_to_json(const Limit& limit, int64_t used);

}  // namespace policyd
