// The answers of `policyctl report` as tables for people. Pure.
#pragma once

#include <cstddef>
#include <string>

#include "policyd/ctl/json_members.h"

namespace policyd {

// `answer` is that of /v1/reports/greylist or /v1/reports/checks; `width` is the terminal's, 0: none.
std::string greylist_text(const Json& answer, size_t width);
std::string checks_text(const Json& answer, size_t width);

}  // namespace policyd
