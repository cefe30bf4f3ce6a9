#include "policyd/verdict.h"

#include <array>

namespace policyd {

namespace {
constexpr std::array<std::string_view, kActions> kActionNames = {"DUNNO", "PREPEND", "DEFER", "HOLD", "REJECT"};
constexpr std::array<std::string_view, kCauses> kCauseNames = {"none",  "not_asked", "block",   "check",
                                                               "score", "limit",     "earlier", "greylist"};
constexpr std::array<std::string_view, GreylistResult::kOutcomes> kGreylistNames = {"first", "early",   "passed",
                                                                                    "known", "allowed", "unknown"};
}  // namespace

std::string_view action_name(Action action) { return kActionNames[static_cast<size_t>(action)]; }
std::string_view cause_name(Cause cause) { return kCauseNames[static_cast<size_t>(cause)]; }
std::string_view greylist_outcome_name(GreylistResult::Outcome outcome) {
  return kGreylistNames[static_cast<size_t>(outcome)];
}

}  // namespace policyd
