// The values of account settings as operators write them: lists, limits, numbers, yes or no. Pure.
//
// "none" or "" is nothing: no limit, no bound, any. An Error quotes the text and says what is expected.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "shared/limits.h"
#include "shared/result.h"

namespace policyd {

bool says_none(std::string_view text);
// Splits at commas and spaces, but not at the spaces around a '/': "60 / 1m, 500/1h".
std::vector<std::string> split_list(std::string_view list);
std::string join_list(const std::vector<std::string>& items);  // "a, b"; "none" for no item

// That `text` is no limit, for `reason`, and what one looks like.
Error bad_limit(Meter meter, std::string_view text, const std::string& reason);
// "60/1m, 500/1h"; no window twice.
Result<Limits> parse_limits(Meter meter, std::string_view list);
std::string format_limits(const Limits& limits);

// A number, or octets with a unit; 0 is none.
Result<int64_t> parse_bound(std::string_view text);
std::string format_bound(int64_t bound);
Result<int64_t> parse_size_bound(std::string_view text);
std::string format_size_bound(int64_t octets);

Result<bool> parse_yes_or_no(std::string_view text);
std::string format_yes_or_no(bool value);  // "true", "false"

}  // namespace policyd
