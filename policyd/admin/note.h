// What people write beside a block or a lock: why, and who they are.
#pragma once

#include <string_view>

#include "shared/result.h"

namespace policyd {

// An Error says why `text` is none: it holds a control character, or more than kLongestNote octets.
Result<void> check_note(std::string_view text);

}  // namespace policyd
