// Which time a report is about: from some hours or days ago until now.
//
// Pure.
#pragma once

#include <string_view>

#include "shared/clock.h"
#include "shared/result.h"

namespace policyd {

// Figures are kept by the hour, for so long.
inline constexpr Milliseconds kReportKept = std::chrono::days(31);
inline constexpr std::string_view kUsualReportPeriod = "7d";

// A duration of more than 0 and at most kReportKept; the Error begins with the text.
Result<Milliseconds> parse_report_period(std::string_view text);

// The start of the hour that a time lies in.
inline WallTime hour_of(WallTime time) { return std::chrono::floor<std::chrono::hours>(time); }

}  // namespace policyd
