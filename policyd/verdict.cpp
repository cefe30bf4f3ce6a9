#include "policyd/verdict.h"

#include <array>

namespace policyd {

namespace {
constexpr std::array<std::string_view, kActions> kActionNames = {"DUNNO", "PREPEND", "DEFER", "HOLD", "REJECT"};
constexpr std::array<std::string_view, kCauses> kCauseNames = {"none",  "not_asked", "block",  "check",
                                                               "score", "limit",     "earlier"};
}  // namespace

std::string_view action_name(Action action) { return kActionNames[static_cast<size_t>(action)]; }
std::string_view cause_name(Cause cause) { return kCauseNames[static_cast<size_t>(cause)]; }

}  // namespace policyd
