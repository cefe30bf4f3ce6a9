// The score: outcomes become weighed findings, their sum meets the thresholds. Pure.
#pragma once

#include <string>
#include <vector>

#include "policyd/checks/check.h"
#include "policyd/verdict.h"
#include "shared/config.h"

namespace policyd {

// Appends a finding for every outcome that weighs something in this direction, and one for an error.
void weigh(const CheckSpec& spec, const CheckSettings& settings, Direction direction, const Observation& observation,
           std::vector<Finding>& findings);

// The sum of all findings that count.
int sum_of(const std::vector<Finding>& findings);

// What the thresholds make of a score: the hardest that is reached (reject, then hold, then defer); 0 is off.
Action action_for(const Thresholds& thresholds, int score);

// "client has no reverse DNS name; EHLO name is not fully qualified": what spoke against the mail, for replies; each
// reason once.
std::string reasons_of(const std::vector<Finding>& findings);

// `text` with {reasons} and {score} filled in.
std::string fill_in(std::string text, const std::string& reasons, int score);

}  // namespace policyd
