#include "policyd/report/figures.h"

#include <algorithm>
#include <charconv>

namespace policyd {

namespace {

constexpr std::array<std::string_view, kReportKinds> kKindNames = {"checks", "clients", "recipients"};

}  // namespace

std::string_view report_kind_name(ReportKind kind) { return kKindNames[static_cast<size_t>(kind)]; }

void add(Figures& sum, const Figures& more) {
  if (sum.size() < more.size()) sum.resize(more.size());
  for (size_t place = 0; place < more.size(); ++place) sum[place] += more[place];
}

int64_t figure(const Figures& figures, size_t place) { return place < figures.size() ? figures[place] : 0; }

std::string format_figures(const Figures& figures) {
  const auto last = std::find_if(figures.rbegin(), figures.rend(), [](int64_t number) { return number != 0; });
  std::string text;
  for (auto number = figures.begin(); number != last.base(); ++number) {
    if (!text.empty()) text.push_back(' ');
    text += std::to_string(*number);
  }
  return text;
}

Figures parse_figures(std::string_view text) {
  Figures figures;
  for (const char *at = text.data(), *end = at + text.size(); at < end; ++at) {
    int64_t number = 0;
    const auto [stop, failure] = std::from_chars(at, end, number);
    if (failure != std::errc()) break;
    figures.push_back(number);
    at = stop;
  }
  return figures;
}

}  // namespace policyd
