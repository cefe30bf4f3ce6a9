// The table of rows: what adds up, what is too much, what is taken out and what has been handed out.
#include "policyd/report/report_table.h"

#include <doctest/doctest.h>

#include <algorithm>

#include "tests/support/fake_clock.h"

namespace policyd {
namespace {

using std::chrono::hours;
using std::chrono::minutes;

constexpr WallTime kNow = test::FakeClock::kStart;  // on the hour

ReportRow row(std::string name, Figures figures, WallTime at = kNow, ReportKind kind = ReportKind::clients) {
  return {kind, at, std::move(name), std::move(figures)};
}

std::vector<ReportRow> sorted(std::vector<ReportRow> rows) {
  std::sort(rows.begin(), rows.end(), [](const ReportRow& left, const ReportRow& right) {
    return std::tie(left.hour, left.kind, left.name) < std::tie(right.hour, right.kind, right.name);
  });
  return rows;
}

TEST_CASE("report_table: rows of one hour, kind and name add up") {
  ReportTable table({});
  table.add(row("a", {1, 2}, kNow + minutes(1)));
  table.add(row("a", {10, 0, 3}, kNow + minutes(59)));
  table.add(row("a", {5}, kNow + minutes(60)));
  table.add(row("a", {7}, kNow, ReportKind::recipients));
  CHECK(table.size() == 3);
  const ReportHours clients = table.hours(ReportKind::clients, kNow + minutes(30));
  REQUIRE(clients.size() == 2);
  CHECK(clients[0].hour == kNow);
  CHECK(clients[0].rows->at("a") == Figures{11, 2, 3});
  CHECK(clients[1].hour == kNow + hours(1));
  CHECK(table.hours(ReportKind::clients, kNow + hours(1)).size() == 1);
  CHECK(table.hours(ReportKind::checks, kNow).empty());
}

TEST_CASE("report_table: of an hour that has many names, the later ones are counted together") {
  ReportTable table({2, 10});
  for (const char* name : {"a", "b", "c", "d", "a"}) table.add(row(name, {1}));
  table.add(row("c", {1}, kNow + hours(1)));
  const ReportHours hours_held = table.hours(ReportKind::clients, kNow);
  REQUIRE(hours_held.size() == 2);
  CHECK(*hours_held[0].rows == ReportRows{{"a", {2}}, {"b", {1}}, {"(other)", {2}}});
  CHECK(*hours_held[1].rows == ReportRows{{"c", {1}}});
}

TEST_CASE("report_table: of too many hours the oldest goes, and what is older still is not taken") {
  ReportTable table({10, 2});
  for (const int hour : {5, 3, 4, 2}) table.add(row("a", {hour}, kNow + hours(hour)));
  const ReportHours held = table.hours(ReportKind::clients, kNow);
  REQUIRE(held.size() == 2);
  CHECK(held[0].rows->at("a") == Figures{4});
  CHECK(held[1].rows->at("a") == Figures{5});
}

TEST_CASE("report_table: hours that are older than 31 days are forgotten") {
  ReportTable table({});
  table.add(row("a", {1}, kNow));
  table.add(row("a", {2}, kNow + hours(1)));
  table.sweep(kNow + kReportKept + minutes(59));
  CHECK(table.size() == 2);
  table.sweep(kNow + kReportKept + minutes(60));
  CHECK(table.size() == 1);
}

TEST_CASE("report_table: what was handed out is never written to again") {
  ReportTable table({});
  table.add(row("a", {1}));
  const ReportHours before = table.hours(ReportKind::clients, kNow);
  table.add(row("a", {1}));
  table.add(row("b", {1}));
  CHECK(*before.at(0).rows == ReportRows{{"a", {1}}});
  const ReportHours after = table.hours(ReportKind::clients, kNow);
  CHECK(*after.at(0).rows == ReportRows{{"a", {2}}, {"b", {1}}});
  CHECK(table.take(10).size() == 2);
  CHECK(after.at(0).rows->size() == 2);
}

TEST_CASE("report_table: rows are taken out once, the oldest hour first") {
  ReportTable table({});
  for (const char* name : {"a", "b"}) {
    table.add(row(name, {1}, kNow + hours(1)));
    table.add(row(name, {2}, kNow));
  }
  CHECK(sorted(table.take(2)) == std::vector{row("a", {2}), row("b", {2})});
  CHECK(table.take(1).at(0).hour == kNow + hours(1));
  CHECK(table.take(10).size() == 1);
  CHECK(table.take(10).empty());
  CHECK(table.size() == 0);
}

TEST_CASE("report_table: changed rows are told once, as they are") {
  ReportTable table({1, 10});
  table.add(row("a", {1}));
  table.track_changes();
  CHECK(table.take_changes(10).empty());
  for (int i = 0; i < 3; ++i) table.add(row("a", {1}));
  table.add(row("b", {1}));
  CHECK(table.take_changes(1) == std::vector{row("(other)", {1})});
  CHECK(table.take_changes(10) == std::vector{row("a", {4})});
  CHECK(table.take_changes(10).empty());
  table.add(row("a", {1}));
  table.sweep(kNow + kReportKept + hours(1));
  CHECK(table.take_changes(10).empty());
}

}  // namespace
}  // namespace policyd
