#include "policyd/report/summary.h"

#include <algorithm>
#include <map>
#include <span>
#include <tuple>

#include "policyd/report/histogram.h"

namespace policyd {

namespace {

// Whether nobody who began in this hour can pass any more.
bool is_over(const ReportHour& hour, WallTime now, Milliseconds pass) {
  return hour.hour + std::chrono::hours(1) + pass <= now;
}

void add_hour(GreylistSum& sum, const Figures& figures, bool over) {
  const int64_t begun = figure(figures, greylist_figure::begun), passed = figure(figures, greylist_figure::passed);
  sum.attempts += figure(figures, greylist_figure::attempts);
  sum.begun += begun;
  sum.passed += passed;
  (over ? sum.never : sum.waiting) += begun - passed;
  sum.at_once += figure(figures, greylist_figure::at_once);
}

CheckSum sum_of(std::string name, const Figures& figures) {
  CheckSum sum;
  sum.name = std::move(name);
  sum.requests = figure(figures, check_figure::requests);
  sum.hits = figure(figures, check_figure::hits);
  sum.decided = figure(figures, check_figure::decided);
  sum.errors = figure(figures, check_figure::errors);
  if (figures.size() > check_figure::times) {
    sum.median = Histogram::median(std::span(figures).subspan(check_figure::times));
  }
  return sum;
}

// The place of a name in the order of a listing; what is not in it comes last.
template <class Range>
size_t place_in(const Range& range, std::string_view name) {
  const auto found = std::find_if(range.begin(), range.end(), [name](const auto& each) { return each.name == name; });
  return static_cast<size_t>(found - range.begin());
}

// Puts sums in the order of a listing.
template <class Range>
void order(std::vector<CheckSum>& sums, const Range& listing) {
  std::stable_sort(sums.begin(), sums.end(), [&listing](const CheckSum& left, const CheckSum& right) {
    return place_in(listing, left.name) < place_in(listing, right.name);
  });
}

// The checks by name, with their outcomes and zones.
std::map<std::string, CheckSum> read_checks(const ReportHours& hours) {
  std::map<std::string, Figures> all;
  for (const ReportHour& hour : hours) {
    for (const auto& [name, figures] : *hour.rows) add(all[name], figures);
  }
  std::map<std::string, CheckSum> checks;
  for (const auto& [name, figures] : all) {
    const size_t mark = name.find_first_of(".:");
    if (mark == std::string::npos) checks.insert_or_assign(name, sum_of(name, figures));
  }
  for (const auto& [name, figures] : all) {
    const size_t mark = name.find_first_of(".:");
    if (mark == std::string::npos) continue;
    CheckSum& check = checks[name.substr(0, mark)];
    CheckSum part = sum_of(name.substr(mark + 1), figures);
    if (name[mark] == '.') part.requests = check.requests;
    (name[mark] == '.' ? check.outcomes : check.zones).push_back(std::move(part));
  }
  return checks;
}

}  // namespace

double CheckSum::share() const {
  return requests > 0 ? static_cast<double>(hits) / static_cast<double>(requests) : 0;
}

std::vector<GreylistSum> sum_greylist(const ReportHours& hours, WallTime now, Milliseconds pass) {
  std::map<std::string, GreylistSum> sums;
  for (const ReportHour& hour : hours) {
    for (const auto& [name, figures] : *hour.rows) add_hour(sums[name], figures, is_over(hour, now, pass));
  }
  std::vector<GreylistSum> sorted;
  for (auto& [name, sum] : sums) {
    sum.name = name;
    // In a row of its own a name can have more passes than first attempts, if those were counted as kOther.
    sum.waiting = std::max<int64_t>(sum.waiting, 0);
    sum.never = std::max<int64_t>(sum.never, 0);
    sorted.push_back(std::move(sum));
  }
  std::stable_sort(sorted.begin(), sorted.end(), [](const GreylistSum& left, const GreylistSum& right) {
    return std::tuple(left.name == kOther, -left.attempts, -left.at_once) <
           std::tuple(right.name == kOther, -right.attempts, -right.at_once);
  });
  return sorted;
}

GreylistSum total_greylist(const ReportHours& hours, WallTime now, Milliseconds pass) {
  GreylistSum total;
  for (const ReportHour& hour : hours) {
    for (const auto& [name, figures] : *hour.rows) add_hour(total, figures, is_over(hour, now, pass));
  }
  return total;
}

std::vector<CheckSum> sum_checks(const ReportHours& hours, const std::vector<CheckSpec>& specs) {
  std::map<std::string, CheckSum> checks = read_checks(hours);
  std::vector<CheckSum> sorted;
  for (auto& [name, check] : checks) {
    if (const size_t place = place_in(specs, name); place < specs.size()) order(check.outcomes, specs[place].outcomes);
    sorted.push_back(std::move(check));
  }
  order(sorted, specs);
  return sorted;
}

}  // namespace policyd
