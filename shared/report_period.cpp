#include "shared/report_period.h"

#include "shared/duration.h"
#include "shared/text.h"

namespace policyd {

Result<Milliseconds> parse_report_period(std::string_view text) {
  auto period = parse_duration(text);
  if (!period) return period;
  if (*period > Milliseconds(0) && *period <= kReportKept) return period;
  return Error{quoted(text) + " is not more than 0 and at most " + format_duration(kReportKept) +
               ", for which figures are kept"};
}

}  // namespace policyd
