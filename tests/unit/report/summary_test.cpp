// Sums of reports: who came back, who still can, who never did; checks, their outcomes and zones.
#include "policyd/report/summary.h"

#include <doctest/doctest.h>

#include "policyd/checks/check.h"
#include "policyd/report/decision.h"
#include "tests/support/fake_clock.h"

namespace policyd {
namespace {

using std::chrono::hours;
using std::chrono::minutes;

constexpr WallTime kNow = test::FakeClock::kStart + minutes(30);
constexpr WallTime kHour = test::FakeClock::kStart;
constexpr Milliseconds kPass = hours(6);

ReportHour hour(int ago, ReportRows rows) {
  return {kHour - hours(ago), std::make_shared<const ReportRows>(std::move(rows))};
}

// "NAME: attempts/begun/passed/waiting/never/at_once"
std::string text(const GreylistSum& sum) {
  std::string text = sum.name + ":";
  for (const int64_t number : {sum.attempts, sum.begun, sum.passed, sum.waiting, sum.never, sum.at_once}) {
    text += " " + std::to_string(number);
  }
  return text;
}

std::vector<std::string> texts(const std::vector<GreylistSum>& sums) {
  std::vector<std::string> all;
  for (const GreylistSum& sum : sums) all.push_back(text(sum));
  return all;
}

TEST_CASE("summary: who began so long ago that he cannot pass any more never came back, the others wait") {
  const ReportHours all{hour(8, {{"a", {10, 5, 1}}}), hour(7, {{"a", {10, 5, 2}}}), hour(6, {{"a", {10, 5, 3}}}),
                        hour(0, {{"a", {4, 3, 0, 2}}})};
  // Those of 7 hours ago began until 6 hours and 30 minutes ago, those of 6 hours ago until 5 hours and 30 minutes ago.
  CHECK(texts(sum_greylist(all, kNow, kPass)) == std::vector<std::string>{"a: 34 18 6 5 7 2"});
  CHECK(texts(sum_greylist(all, kNow + minutes(29), kPass)) == std::vector<std::string>{"a: 34 18 6 5 7 2"});
  CHECK(texts(sum_greylist(all, kNow + minutes(30), kPass)) == std::vector<std::string>{"a: 34 18 6 3 9 2"});
  CHECK(text(total_greylist(all, kNow, kPass)) == ": 34 18 6 5 7 2");
}

TEST_CASE("summary: those with the most attempts come first, what was counted together last") {
  const ReportHours all{hour(1, {{"few", {1, 1}}, {"(other)", {90, 90}}, {"many", {9, 1}}}),
                        hour(0, {{"none", {0, 0, 0, 7}}, {"b", {5, 5}}, {"a", {5, 5}}})};
  CHECK(texts(sum_greylist(all, kNow, kPass)) ==
        std::vector<std::string>{"many: 9 1 0 1 0 0", "a: 5 5 0 5 0 0", "b: 5 5 0 5 0 0", "few: 1 1 0 1 0 0",
                                 "none: 0 0 0 0 0 7", "(other): 90 90 0 90 0 0"});
}

TEST_CASE("summary: a name whose first attempts were counted with others misses nobody, and the total is right") {
  const ReportHours all{hour(9, {{"a", {3, 0, 3}}, {"(other)", {4, 4}}})};
  CHECK(texts(sum_greylist(all, kNow, kPass)) ==
        std::vector<std::string>{"a: 3 0 3 0 0 0", "(other): 4 4 0 0 4 0"});
  CHECK(text(total_greylist(all, kNow, kPass)) == ": 7 4 3 0 1 0");
}

TEST_CASE("summary: nothing is nothing") {
  CHECK(sum_greylist({}, kNow, kPass).empty());
  CHECK(text(total_greylist({}, kNow, kPass)) == ": 0 0 0 0 0 0");
  CHECK(sum_checks({}, check_specs()).empty());
}

TEST_CASE("summary: checks in the order of the table, with their outcomes and zones; those of other nodes last") {
  const ReportHours all{
      hour(1, {{"spf", {10, 4, 1}}, {"spf.pass", {0, 3}}, {"spf.fail", {0, 1, 1}}, {"dnsbl", {10, 2, 1, 1}}}),
      hour(0, {{"spf", {10, 0, 0, 2}},
               {"ehlo", {20}},
               {"later_check", {7}},
               {"dnsbl.listed", {0, 2, 1}},
               {"dnsbl:z.example", {10, 1, 0, 0, 0, 0, 0, 1}},
               {"dnsbl:a.example", {10, 1, 1, 1, 2}}})};
  const auto sums = sum_checks(all, check_specs());
  REQUIRE(sums.size() == 4);
  CHECK(sums[0].name == "ehlo");
  CHECK(sums[1].name == "spf");
  CHECK(sums[1].requests == 20);
  CHECK(sums[1].hits == 4);
  CHECK(sums[1].share() == 0.2);
  CHECK(sums[1].decided == 1);
  CHECK(sums[1].errors == 2);
  CHECK_FALSE(sums[1].median.has_value());
  REQUIRE(sums[1].outcomes.size() == 2);
  CHECK(sums[1].outcomes[0].name == "fail");
  CHECK(sums[1].outcomes[0].share() == 0.05);
  CHECK(sums[1].outcomes[0].decided == 1);
  CHECK(sums[1].outcomes[1].name == "pass");
  CHECK(sums[2].name == "dnsbl");
  REQUIRE(sums[2].zones.size() == 2);
  CHECK(sums[2].zones[0].name == "a.example");
  CHECK(sums[2].zones[0].median == 0.5);
  CHECK(sums[2].zones[1].median == 3.5);
  CHECK(sums[3].name == "later_check");
}

TEST_CASE("decision: a verdict that the checks did not make hangs on no finding") {
  const auto specs = check_specs();
  Config config;
  config.greylist.min_score = 0;
  Verdict verdict;
  verdict.findings.push_back({&specs[0], &specs[0].outcomes[0], 10, true, ""});
  verdict.action = Action::defer;
  for (const Cause cause : {Cause::none, Cause::block, Cause::limit, Cause::earlier, Cause::greylist}) {
    verdict.cause = cause;
    const Decision decision(verdict, config);
    CHECK_FALSE(decision.by_findings());
    CHECK_FALSE(decision.hangs_on([](const Finding&) { return true; }));
  }
}

}  // namespace
}  // namespace policyd
