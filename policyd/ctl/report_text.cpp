#include "policyd/ctl/report_text.h"

#include <fmt/format.h>

#include <utility>
#include <vector>

#include "policyd/ctl/table.h"

namespace policyd {

namespace {

std::string count(const Json& json, const char* key) { return std::to_string(number_of(json, key)); }
std::string percent(double share) { return fmt::format("{:.1f}%", 100 * share); }

std::string heading(const Json& answer) {
  return "from " + text_of(answer, "since") + " to " + text_of(answer, "until") + "\n\n";
}

std::vector<std::string> greylist_row(std::string name, const Json& row) {
  const int64_t begun = number_of(row, "new"), never = number_of(row, "never");
  const double share = begun > 0 ? static_cast<double>(never) / static_cast<double>(begun) : 0;
  return {std::move(name), count(row, "attempts"), count(row, "new"),  count(row, "passed"),
          count(row, "waiting"), count(row, "never"), percent(share), count(row, "at_once")};
}

Table greylist_table(const char* title) {
  return Table({{title},
                {"ATTEMPTS", Align::right},
                {"NEW", Align::right},
                {"PASSED", Align::right},
                {"WAITING", Align::right},
                {"NEVER CAME BACK", Align::right},
                {"", Align::right},
                {"AT ONCE", Align::right}});
}

std::string greylist_part(const Json& part, const char* title, const char* name, size_t width) {
  Table table = greylist_table(title);
  for (const Json& row : member_of(part, "rows")) table.add(greylist_row(text_of(row, name), row));
  if (table.empty()) return "";
  const int64_t more = number_of(part, "more");
  return "\n" + table.render(width) +
         (more > 0 ? "and " + std::to_string(more) + " more; --limit N shows N\n" : "");
}

std::string median_of(const Json& row) {
  const Json& median = member_of(row, "median_ms");
  if (!median.is_number()) return "-";
  const double ms = median.get<double>();
  return ms < 1 ? "<1ms" : fmt::format("{:.0f}ms", ms);
}

void add_parts(Table& table, const Json& parts, const char* name, bool asked) {
  for (const Json& part : parts) {
    table.add({"  " + text_of(part, name), asked ? count(part, "requests") : "", count(part, "hits"),
               percent(real_of(part, "share")), count(part, "decided"), asked ? count(part, "errors") : "",
               asked ? median_of(part) : ""});
  }
}

}  // namespace

std::string greylist_text(const Json& answer, size_t width) {
  const Json& total = member_of(answer, "total");
  if (number_of(total, "attempts") == 0 && number_of(total, "at_once") == 0) {
    return "nothing was greylisted since " + text_of(answer, "since") + "\n";
  }
  Table table = greylist_table("GREYLISTED");
  table.add(greylist_row("in all", total));
  return heading(answer) + table.render(width) +
         greylist_part(member_of(answer, "clients"), "CLIENT", "client", width) +
         greylist_part(member_of(answer, "recipients"), "RECIPIENT DOMAIN", "recipient", width);
}

std::string checks_text(const Json& answer, size_t width) {
  Table table({{"CHECK"},
               {"REQUESTS", Align::right},
               {"HITS", Align::right},
               {"SHARE", Align::right},
               {"DECIDED", Align::right},
               {"ERRORS", Align::right},
               {"MEDIAN", Align::right}});
  for (const Json& check : member_of(answer, "checks")) {
    table.add({text_of(check, "check"), count(check, "requests"), count(check, "hits"),
               percent(real_of(check, "share")), count(check, "decided"), count(check, "errors"), median_of(check)});
    const Json& zones = member_of(check, "zones");
    if (zones.empty()) add_parts(table, member_of(check, "outcomes"), "outcome", false);
    add_parts(table, zones, "zone", true);
  }
  if (table.empty()) return "no check was applied since " + text_of(answer, "since") + "\n";
  return heading(answer) + table.render(width);
}

}  // namespace policyd
