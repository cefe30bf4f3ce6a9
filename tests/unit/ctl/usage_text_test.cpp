// Usage for people: bars, tones, and the table of the busiest accounts.
#include "policyd/ctl/usage_text.h"

#include <doctest/doctest.h>

using namespace policyd;

namespace {

Json limit(std::string_view meter, std::string_view window, int64_t maximum, int64_t used) {
  return {{"meter", meter},
          {"limit", std::to_string(maximum) + "/" + std::string(window)},
          {"maximum", maximum},
          {"window", window},
          {"used", used},
          {"left", std::max<int64_t>(maximum - used, 0)}};
}

Json account(std::string_view name, std::vector<Json> limits) {
  return {{"account", name}, {"limits", std::move(limits)}};
}

}  // namespace

TEST_CASE("usage: bars and tones") {
  struct Case {
    int percent;
    std::string_view bar;
    Tone tone;
  };
  const Case cases[] = {
      {0, "[----------]", Tone::good},    {1, "[#---------]", Tone::good},    {19, "[#---------]", Tone::good},
      {49, "[####------]", Tone::good},   {50, "[#####-----]", Tone::warning}, {89, "[########--]", Tone::warning},
      {90, "[#########-]", Tone::bad},    {99, "[#########-]", Tone::bad},     {100, "[##########]", Tone::bad},
      {1000, "[##########]", Tone::bad},
  };
  for (const Case& row : cases) {
    CAPTURE(row.percent);
    CHECK(usage_bar(row.percent) == row.bar);
    CHECK(tone_of(row.percent) == row.tone);
  }
  CHECK(percent(limit("messages", "1h", 3, 2)) == 66);
  CHECK(percent(limit("messages", "1h", 0, 0)) == 0);
  CHECK(percent(limit("messages", "1h", 0, 2)) == 200);
  CHECK(amount(limit("bytes", "1d", 2'000'000'000, 1'234'567), "used") == "1.2MB");
  CHECK(amount(limit("bytes", "1d", 2'000'000'000, 999), "used") == "999B");
  CHECK(amount(limit("messages", "1d", 5, 1'234'567), "used") == "1234567");
}

TEST_CASE("usage: an account's limits, each with its bar") {
  const Json limits = {limit("messages", "1m", 60, 54), limit("bytes", "1d", 2'000'000'000, 0)};
  CHECK(render_limits(limits, 0, false) ==
        "LIMIT                    USED   LEFT  FULL\n"
        "messages  60/1m            54      6   90%  [#########-]\n"
        "bytes     2000000000/1d    0B  2.0GB    0%  [----------]\n");
  CHECK(render_limits(Json::array({limit("messages", "1m", 2, 1)}), 0, true) ==
        "LIMIT           USED  LEFT  FULL\n"
        "messages  2/1m     1     1  \x1b[33m 50%\x1b[0m  \x1b[33m[#####-----]\x1b[0m\n");
  CHECK(render_limits(Json::array(), 0, false) == "no limits\n");
}

TEST_CASE("usage: the busiest accounts, a column for each limit") {
  const Json accounts = {
      account("joe@example.com", {limit("messages", "1m", 60, 57), limit("messages", "1h", 500, 57)}),
      account("ann@example.com", {limit("messages", "1m", 10, 1), limit("recipients", "1h", 4, 2)}),
      account("free@example.com", {})};
  CHECK(render_top(accounts, 0, 0, false) ==
        "ACCOUNT           FULL                messages/1m  messages/1h  recipients/1h\n"
        "joe@example.com    95%  [#########-]          95%          11%\n"
        "ann@example.com    50%  [#####-----]          10%                         50%\n"
        "free@example.com    0%  [----------]\n");
  // A narrow terminal, and a low one.
  CHECK(render_top(accounts, 60, 1, false) ==
        "ACCOUNT          FULL                messages/1m\n"
        "joe@example.com   95%  [#########-]          95%\n");
  CHECK(render_top(Json::array(), 80, 0, false) == "no account has sent anything of late\n");
  const Json hostile = {account("a\x1b[2Jb", {})};
  CHECK(render_top(hostile, 0, 0, true) ==
        "ACCOUNT      FULL\n"
        "\"a\\x1b[2Jb\"  \x1b[32m  0%\x1b[0m  \x1b[32m[----------]\x1b[0m\n");
}
