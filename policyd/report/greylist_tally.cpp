#include "policyd/report/greylist_tally.h"

#include <algorithm>

#include "policyd/report/report_table.h"
#include "shared/text.h"

namespace policyd {

namespace {

using Outcome = GreylistResult::Outcome;

constexpr size_t kLongestDomain = 253;

std::string_view domain_name(std::string_view recipient) {
  const std::string_view domain = domain_of(recipient);
  if (domain.empty()) return GreylistTally::kNoDomain;
  return domain.size() <= kLongestDomain ? domain : kOther;
}

}  // namespace

GreylistTally::Counts& GreylistTally::counts_of(ByHour& of, WallTime hour, std::string_view name) {
  Names& names = of.hours[hour];
  if (const auto found = names.find(name); found != names.end()) return found->second;
  const auto added = names.try_emplace(std::string(of.names < kNames ? name : kOther));
  of.names += added.second ? 1 : 0;
  return added.first->second;
}

void GreylistTally::count(const Greylisting& greylisting, std::string_view recipient) {
  const GreylistResult& result = greylisting.result;
  if (!greylisting.counted || result.outcome == Outcome::unknown || result.repeated) return;
  const bool at_once = result.outcome == Outcome::known || result.outcome == Outcome::allowed;
  const WallTime hour = at_once ? kAtOnce : hour_of(result.begun);
  for (Counts* counts : {&counts_of(clients_, hour, greylisting.client),
                         &counts_of(recipients_, hour, domain_name(recipient))}) {
    (*counts)[greylist_figure::attempts] += at_once ? 0 : 1;
    (*counts)[greylist_figure::begun] += result.outcome == Outcome::first ? 1 : 0;
    (*counts)[greylist_figure::passed] += result.outcome == Outcome::passed ? 1 : 0;
    (*counts)[greylist_figure::at_once] += at_once ? 1 : 0;
  }
}

void GreylistTally::drain(ByHour& of, ReportKind kind, WallTime now, ReportTable& table) {
  const bool many = of.names > kNames / 2;
  for (auto hour = of.hours.begin(); hour != of.hours.end();) {
    bool used = false;
    for (auto& [name, counts] : hour->second) {
      Figures figures(counts.begin(), counts.end());
      if (std::all_of(counts.begin(), counts.end(), [](int64_t count) { return count == 0; })) continue;
      table.add({kind, hour_of(hour->first == kAtOnce ? now : hour->first), name, std::move(figures)});
      counts.fill(0);
      used = true;
    }
    const bool stays = used && !many;
    of.names -= stays ? 0 : hour->second.size();
    hour = stays ? std::next(hour) : of.hours.erase(hour);
  }
}

void GreylistTally::drain(WallTime now, ReportTable& table) {
  drain(clients_, ReportKind::clients, now, table);
  drain(recipients_, ReportKind::recipients, now, table);
}

}  // namespace policyd
