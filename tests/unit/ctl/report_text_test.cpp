// The tables of `policyctl report`.
#include "policyd/ctl/report_text.h"

#include <doctest/doctest.h>

namespace policyd {
namespace {

constexpr const char* kGreylist = R"({
  "since": "2026-11-14T10:00:00Z", "until": "2026-11-21T10:30:00Z", "pass": "6h",
  "total": {"attempts": 1900, "new": 1200, "passed": 800, "waiting": 20, "never": 380, "at_once": 5400},
  "clients": {"rows": [
    {"client": "192.0.2.0/24", "attempts": 1000, "new": 400, "passed": 300, "waiting": 0, "never": 100, "at_once": 0},
    {"client": "j\u0007rg", "attempts": 0, "new": 0, "passed": 0, "waiting": 0, "never": 0, "at_once": 12}], "more": 3},
  "recipients": {"rows": [
    {"recipient": "example.com", "attempts": 1900, "new": 1200, "passed": 800, "waiting": 20, "never": 380,
     "at_once": 5400}], "more": 0}})";

TEST_CASE("report text: greylisting in all, by client and by recipient domain") {
  CHECK(greylist_text(Json::parse(kGreylist), 0) ==
        "from 2026-11-14T10:00:00Z to 2026-11-21T10:30:00Z\n"
        "\n"
        "GREYLISTED  ATTEMPTS   NEW  PASSED  WAITING  NEVER CAME BACK         AT ONCE\n"
        "in all          1900  1200     800       20              380  31.7%     5400\n"
        "\n"
        "CLIENT        ATTEMPTS  NEW  PASSED  WAITING  NEVER CAME BACK         AT ONCE\n"
        "192.0.2.0/24      1000  400     300        0              100  25.0%        0\n"
        "j?rg                 0    0       0        0                0   0.0%       12\n"
        "and 3 more; --limit N shows N\n"
        "\n"
        "RECIPIENT DOMAIN  ATTEMPTS   NEW  PASSED  WAITING  NEVER CAME BACK         AT ONCE\n"
        "example.com           1900  1200     800       20              380  31.7%     5400\n");
}

TEST_CASE("report text: where nothing was greylisted") {
  CHECK(greylist_text(Json::parse(R"({"since": "2026-11-14T10:00:00Z", "total": {"attempts": 0, "at_once": 0},
                                      "clients": {"rows": [], "more": 0}})"),
                      0) == "nothing was greylisted since 2026-11-14T10:00:00Z\n");
}

TEST_CASE("report text: checks with their outcomes, or their lists") {
  const Json answer = Json::parse(R"({
    "since": "2026-11-14T10:00:00Z", "until": "2026-11-21T10:30:00Z", "checks": [
      {"check": "ehlo", "requests": 1200, "hits": 3, "share": 0.0025, "decided": 0, "errors": 0, "median_ms": null,
       "outcomes": [{"outcome": "syntax", "requests": 1200, "hits": 3, "share": 0.0025, "decided": 0}], "zones": []},
      {"check": "dnsbl", "requests": 1200, "hits": 90, "share": 0.075, "decided": 60, "errors": 2, "median_ms": 12.4,
       "outcomes": [{"outcome": "listed", "requests": 1200, "hits": 90, "share": 0.075, "decided": 60}],
       "zones": [{"zone": "zen.spamhaus.org", "requests": 1190, "hits": 90, "share": 0.07563, "decided": 60,
                  "errors": 2, "median_ms": 0.5}]}]})");
  CHECK(checks_text(answer, 0) ==
        "from 2026-11-14T10:00:00Z to 2026-11-21T10:30:00Z\n"
        "\n"
        "CHECK               REQUESTS  HITS  SHARE  DECIDED  ERRORS  MEDIAN\n"
        "ehlo                    1200     3   0.2%        0       0       -\n"
        "  syntax                         3   0.2%        0\n"
        "dnsbl                   1200    90   7.5%       60       2    12ms\n"
        "  zen.spamhaus.org      1190    90   7.6%       60       2    <1ms\n");
  CHECK(checks_text(Json::parse(R"({"since": "2026-11-14T10:00:00Z", "checks": []})"), 0) ==
        "no check was applied since 2026-11-14T10:00:00Z\n");
}

}  // namespace
}  // namespace policyd
