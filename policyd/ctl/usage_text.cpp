#include "policyd/ctl/usage_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <vector>

namespace policyd {

namespace {

constexpr int kPlaces = 10;  // of a bar

// "1.2MB": a limit is shown exactly, what is used of it well enough.
std::string describe_octets(int64_t octets) {
  constexpr std::string_view kUnits[] = {"B", "KB", "MB", "GB", "TB"};
  auto amount = static_cast<double>(octets);
  size_t unit = 0;
  for (; amount >= 1000 && unit + 1 < std::size(kUnits); ++unit) amount /= 1000;
  return fmt::format("{:.{}f}{}", amount, unit == 0 ? 0 : 1, kUnits[unit]);
}

// What a limit stands under: limits of the same meter and window are compared, whatever their figures.
std::string title_of(const Json& limit) { return text_of(limit, "meter") + "/" + text_of(limit, "window"); }

std::vector<std::string> titles_of(const Json& accounts) {
  std::vector<std::string> titles;
  for (const Json& account : accounts) {
    for (const Json& limit : member_of(account, "limits")) {
      const std::string title = title_of(limit);
      if (std::find(titles.begin(), titles.end(), title) == titles.end()) titles.push_back(title);
    }
  }
  return titles;
}

int fullest(const Json& limits) {
  int most = 0;
  for (const Json& limit : limits) most = std::max(most, percent(limit));
  return most;
}

Cell share_cell(int share) { return {std::to_string(share) + "%", tone_of(share)}; }

Cell cell_of(const Json& limits, const std::string& title) {
  for (const Json& limit : limits) {
    if (title_of(limit) == title) return share_cell(percent(limit));
  }
  return {};
}

}  // namespace

std::string amount(const Json& limit, const char* key) {
  const int64_t number = number_of(limit, key);
  return text_of(limit, "meter") == "bytes" ? describe_octets(number) : std::to_string(number);
}

int percent(const Json& limit) {
  const double maximum = std::max(1.0, static_cast<double>(number_of(limit, "maximum")));
  return static_cast<int>(std::min(100.0 * static_cast<double>(number_of(limit, "used")) / maximum, 1e6));
}

Tone tone_of(int percent) { return percent >= 90 ? Tone::bad : percent >= 50 ? Tone::warning : Tone::good; }

std::string usage_bar(int percent) {
  const int filled = percent <= 0 ? 0 : std::clamp(percent * kPlaces / 100, 1, kPlaces);
  return "[" + std::string(static_cast<size_t>(filled), '#') + std::string(static_cast<size_t>(kPlaces - filled), '-') +
         "]";
}

std::string render_limits(const Json& limits, size_t width, bool colours) {
  Table table({{"LIMIT"}, {""}, {"USED", Align::right}, {"LEFT", Align::right}, {"FULL", Align::right}, {""}});
  for (const Json& limit : limits) {
    const int share = percent(limit);
    table.add_cells({{text_of(limit, "meter")},
                     {text_of(limit, "limit")},
                     {amount(limit, "used")},
                     {amount(limit, "left")},
                     share_cell(share),
                     {usage_bar(share), tone_of(share)}});
  }
  return table.empty() ? "no limits\n" : table.render(width, colours);
}

std::string render_top(const Json& accounts, size_t width, size_t rows, bool colours) {
  constexpr size_t kGap = 2, kShare = 4;
  size_t names = display_width("ACCOUNT");
  size_t shown = 0;
  for (const Json& account : accounts) {
    if (rows > 0 && shown++ == rows) break;
    names = std::max(names, display_width(name_of(account, "account")));
  }
  if (width > 0) names = std::min(names, widest_name(width));
  std::vector<Column> columns = {{"ACCOUNT"}, {"FULL", Align::right}, {""}};
  std::vector<std::string> titles;
  size_t total = names + kGap + kShare + kGap + kPlaces + 2;
  for (const std::string& title : titles_of(accounts)) {
    total += kGap + std::max(display_width(title), kShare);
    if (width > 0 && total > width) break;
    titles.push_back(title);
    columns.push_back({title, Align::right});
  }
  Table table(std::move(columns));
  shown = 0;
  for (const Json& account : accounts) {
    if (rows > 0 && shown++ == rows) break;
    const Json& limits = member_of(account, "limits");
    const int share = fullest(limits);
    std::vector<Cell> cells = {{name_of(account, "account")}, share_cell(share), {usage_bar(share), tone_of(share)}};
    for (const std::string& title : titles) cells.push_back(cell_of(limits, title));
    table.add_cells(std::move(cells));
  }
  return table.empty() ? "no account has sent anything of late\n" : table.render(width, colours);
}

}  // namespace policyd
