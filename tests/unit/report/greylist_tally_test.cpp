// Greylisting counted: whose attempts, in which hour, and what is left out.
#include "policyd/report/greylist_tally.h"

#include <doctest/doctest.h>

#include "policyd/report/report_table.h"
#include "tests/support/fake_clock.h"

namespace policyd {
namespace {

using Outcome = GreylistResult::Outcome;
using std::chrono::hours;
using std::chrono::minutes;

constexpr WallTime kNow = test::FakeClock::kStart + minutes(30);
constexpr WallTime kHour = test::FakeClock::kStart;

Greylisting greylisting(Outcome outcome, WallTime begun = kNow, std::string client = "192.0.2.0/24") {
  Greylisting greylisting;
  greylisting.result.outcome = outcome;
  greylisting.result.begun = begun;
  greylisting.client = std::move(client);
  return greylisting;
}

// Attempts, begun, passed and at once of a kind in this hour, by name.
std::map<std::string, Figures> drained(GreylistTally& tally, ReportKind kind) {
  ReportTable table({10'000, 100});
  tally.drain(kNow, table);
  std::map<std::string, Figures> rows;
  for (const ReportHour& each : table.hours(kind, kHour)) {
    if (each.hour == kHour) rows.insert(each.rows->begin(), each.rows->end());
  }
  return rows;
}

TEST_CASE("greylist_tally: first, early and passing attempts count in the hour of the first one") {
  GreylistTally tally;
  const WallTime before = kNow - hours(5);
  tally.count(greylisting(Outcome::first), "bob@example.com");
  tally.count(greylisting(Outcome::early), "bob@example.com");
  tally.count(greylisting(Outcome::early, before), "bob@example.com");
  tally.count(greylisting(Outcome::passed, before), "bob@example.com");
  ReportTable table({});
  tally.drain(kNow, table);
  for (const ReportKind kind : {ReportKind::clients, ReportKind::recipients}) {
    const std::string name = kind == ReportKind::clients ? "192.0.2.0/24" : "example.com";
    const ReportHours all = table.hours(kind, before);
    REQUIRE(all.size() == 2);
    CHECK(all[0].hour == kHour - hours(5));
    CHECK(*all[0].rows == ReportRows{{name, {2, 0, 1, 0}}});
    CHECK(all[1].hour == kHour);
    CHECK(*all[1].rows == ReportRows{{name, {2, 1, 0, 0}}});
  }
}

TEST_CASE("greylist_tally: who is let through at once counts in the hour of the hand-over") {
  GreylistTally tally;
  tally.count(greylisting(Outcome::known, WallTime{}), "bob@example.com");
  tally.count(greylisting(Outcome::allowed, WallTime{}), "bob@example.com");
  CHECK(drained(tally, ReportKind::clients) == std::map<std::string, Figures>{{"192.0.2.0/24", {0, 0, 0, 2}}});
}

TEST_CASE("greylist_tally: the same message for another list, a dry run and what nobody could say count for nothing") {
  GreylistTally tally;
  Greylisting repeated = greylisting(Outcome::early), dry = greylisting(Outcome::first);
  repeated.result.repeated = true;
  dry.counted = false;
  for (const Greylisting& one : {repeated, dry, greylisting(Outcome::unknown)}) tally.count(one, "bob@example.com");
  CHECK(drained(tally, ReportKind::clients).empty());
  CHECK(drained(tally, ReportKind::recipients).empty());
}

TEST_CASE("greylist_tally: recipients by their domain; what cannot be one is counted together") {
  GreylistTally tally;
  for (const std::string& recipient :
       {std::string("bob@example.com"), std::string("ann@example.com"), std::string("\"a@b\"@example.net"),
        std::string("postmaster"), std::string("a@") + std::string(254, 'x')}) {
    tally.count(greylisting(Outcome::first), recipient);
  }
  CHECK(drained(tally, ReportKind::recipients) ==
        std::map<std::string, Figures>{{"example.com", {2, 2, 0, 0}},
                                       {"example.net", {1, 1, 0, 0}},
                                       {"(no domain)", {1, 1, 0, 0}},
                                       {"(other)", {1, 1, 0, 0}}});
}

TEST_CASE("greylist_tally: many names are bounded, lose no figure, and make room at the next hand-over") {
  GreylistTally tally;
  const size_t many = GreylistTally::kNames + 100;
  for (int round = 0; round < 2; ++round) {
    for (size_t i = 0; i < many; ++i) {
      tally.count(greylisting(Outcome::first, kNow - hours(i % 3), "client " + std::to_string(i)), "bob@example.com");
    }
    ReportTable table({10'000, 100});
    tally.drain(kNow, table);
    int64_t begun = 0;
    size_t names = 0;
    for (const ReportHour& hour : table.hours(ReportKind::clients, kNow - hours(3))) {
      names += hour.rows->size();
      for (const auto& [name, figures] : *hour.rows) begun += figure(figures, greylist_figure::begun);
    }
    CHECK(begun == static_cast<int64_t>(many));
    CHECK(names <= GreylistTally::kNames + 3);
    CHECK(names >= GreylistTally::kNames);
  }
}

TEST_CASE("greylist_tally: what was handed over is not handed over again") {
  GreylistTally tally;
  tally.count(greylisting(Outcome::first), "bob@example.com");
  CHECK(drained(tally, ReportKind::clients).size() == 1);
  CHECK(drained(tally, ReportKind::clients).empty());
  tally.count(greylisting(Outcome::first), "bob@example.com");
  CHECK(drained(tally, ReportKind::clients) == std::map<std::string, Figures>{{"192.0.2.0/24", {1, 1, 0, 0}}});
}

}  // namespace
}  // namespace policyd
