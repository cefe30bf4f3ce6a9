// What reports are made of: rows of figures that add up, over time and over nodes.
//
// A row is of one kind and one hour, has a name, and a list of figures whose places the kind says. Whoever keeps rows
// (tally.h, report_table.h, the stores) adds list to list, place by place, and knows no more of them. Pure.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "shared/clock.h"
#include "shared/text.h"

namespace policyd {

enum class ReportKind : uint8_t {
  checks,      // "spf", an outcome "spf.fail", a zone "dnsbl:zen.spamhaus.org"; by the time of the decision
  clients,     // greylisting by client, as greylist/keys.h knows it; by the time of the first attempt
  recipients,  // the same by the recipient's domain
};
inline constexpr size_t kReportKinds = 3;
inline constexpr std::array<ReportKind, kReportKinds> kAllReportKinds = {ReportKind::checks, ReportKind::clients,
                                                                         ReportKind::recipients};
std::string_view report_kind_name(ReportKind kind);  // "checks"

// The places of figures: requests but for `times`.
namespace check_figure {
enum : size_t { requests, hits, decided, errors, times };  // times: and on, the buckets of a Histogram (histogram.h)
}
namespace greylist_figure {
// `at_once`: let through without waiting, which has no first attempt, by the time of the decision.
enum : size_t { attempts, begun, passed, at_once };
}

// Of at most this many names of a kind in an hour rows are kept; what comes after them is counted together, as kOther.
inline constexpr size_t kReportNames = 256;
inline constexpr std::string_view kOther = "(other)";

using Figures = std::vector<int64_t>;  // what is missing at the end is 0

void add(Figures& sum, const Figures& more);
[[nodiscard]] int64_t figure(const Figures& figures, size_t place);

// "12 5 0 1", without zeros at the end; what is no number counts as the end.
std::string format_figures(const Figures& figures);
Figures parse_figures(std::string_view text);

struct ReportRow {
  ReportKind kind = ReportKind::checks;
  WallTime hour{};  // its start
  std::string name;
  Figures figures;
  bool operator==(const ReportRow&) const = default;
};

// What is handed to a store at a time. A store that has taken a batch of this id as its last one does not take it
// again.
struct ReportBatch {
  uint64_t id = 0;
  std::vector<ReportRow> rows;
};

using ReportRows = std::unordered_map<std::string, Figures, StringHash, std::equal_to<>>;  // by name
struct ReportHour {
  WallTime hour{};  // its start
  std::shared_ptr<const ReportRows> rows;
};
using ReportHours = std::vector<ReportHour>;  // of one kind, in the order of time; hours without rows are left out

}  // namespace policyd
