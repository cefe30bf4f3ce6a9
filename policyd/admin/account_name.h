// The account that a path names.
#pragma once

#include <string>
#include <string_view>

#include "shared/result.h"

namespace policyd {

// As accounts are known: lower case; a client address as that of mail without a login.
Result<std::string> account_name(std::string_view text);

}  // namespace policyd
