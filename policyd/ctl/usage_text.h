// How much of its limits an account has used, for people: figures, bars, and the table of the busiest accounts. Pure.
#pragma once

#include <string>

#include "policyd/ctl/json_members.h"
#include "policyd/ctl/table.h"

namespace policyd {

// A member of a limit of the admin API ("used", "left", "maximum"): octets with a unit, all else as a number.
std::string amount(const Json& limit, const char* key);
// How much of it is used, in percent, rounded down.
int percent(const Json& limit);
// From half of it on a warning, from nine tenths on bad.
Tone tone_of(int percent);
// "[#####-----]": ten places; one is filled as soon as anything is used, the last only when nothing is left.
std::string usage_bar(int percent);

// An account's limits with a bar each; "no limits" where it has none.
std::string render_limits(const Json& limits, size_t width, bool colours);

// Accounts of the admin API in its order, with a column for each limit that any of them has; at most `rows` of them (0:
// all). Where the terminal is too narrow the last limits are left out.
std::string render_top(const Json& accounts, size_t width, size_t rows, bool colours);

}  // namespace policyd
