#include "policyd/verdict.h"

#include <array>

namespace policyd {

namespace {
constexpr std::array<std::string_view, kActions> kActionNames = {"DUNNO", "PREPEND", "DEFER", "HOLD", "REJECT"};
constexpr std::array<std::string_view, kCauses> kCauseNames = {
    "none", "not_asked", "block", "check", "score", "limit", "earlier", "greylist", "rule", "lock"};
constexpr std::array<std::string_view, GreylistResult::kOutcomes> kGreylistNames = {"first", "early",   "passed",
                                                                                    "known", "allowed", "unknown"};
constexpr Action kOnLimit[] = {Action::defer, Action::reject, Action::hold};
constexpr std::string_view kDeferCode = "4.7.1 ";
constexpr std::string_view kRejectCode = "5.7.1 ";
}  // namespace

Action action_of(OnLimit on_limit) { return kOnLimit[static_cast<size_t>(on_limit)]; }

std::string with_code(Action action, std::string_view text) {
  std::string whole(action == Action::defer ? kDeferCode : action == Action::reject ? kRejectCode : "");
  whole += text;
  return whole;
}

std::string_view action_name(Action action) { return kActionNames[static_cast<size_t>(action)]; }
std::string_view cause_name(Cause cause) { return kCauseNames[static_cast<size_t>(cause)]; }
std::string_view greylist_outcome_name(GreylistResult::Outcome outcome) {
  return kGreylistNames[static_cast<size_t>(outcome)];
}

}  // namespace policyd
