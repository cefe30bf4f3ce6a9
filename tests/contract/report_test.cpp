// The contract of reports: figures add up, by kind, hour and name; each batch once; bounded; durable where the store
// is.
#include <algorithm>

#include "shared/report_period.h"
#include "tests/contract/store_rig.h"

namespace policyd {
namespace {

using std::chrono::hours;
using test::on_every_store;
using test::StoreRig;

WallTime now(StoreRig& rig) { return hour_of(rig.clock.wall()); }

ReportRow row(std::string name, Figures figures, WallTime at, ReportKind kind = ReportKind::clients) {
  return {kind, hour_of(at), std::move(name), std::move(figures)};
}

void add(StoreRig& rig, uint64_t id, std::vector<ReportRow> rows) {
  ReportBatch batch{id, std::move(rows)};
  const auto added = rig.run(rig.store->add_report(std::move(batch)));
  REQUIRE_MESSAGE(added.ok(), added.error().message);
}

// By hours ago.
std::map<int, ReportRows> read(StoreRig& rig, hours since = hours(0), ReportKind kind = ReportKind::clients) {
  const auto reading = rig.run(rig.store->report(kind, rig.clock.wall() - since));
  REQUIRE_MESSAGE(reading.ok(), reading.error().message);
  std::map<int, ReportRows> rows;
  for (const ReportHour& hour : *reading) {
    CHECK_FALSE(hour.rows->empty());
    const auto ago = (now(rig) - hour.hour) / hours(1);
    CHECK(rows.emplace(static_cast<int>(ago), *hour.rows).second);
  }
  return rows;
}

TEST_CASE("store: figures of reports add up, by kind, hour and name") {
  on_every_store([](StoreRig& rig) {
    CHECK(read(rig, hours(24)).empty());
    const WallTime at = rig.clock.wall();
    add(rig, 1, {row("a", {1, 0, 3}, at), row("b", {5}, at), row("a", {7}, at - hours(1))});
    add(rig, 2, {row("a", {10, 20}, at), row("a", {100}, at, ReportKind::recipients)});
    CHECK(read(rig) == std::map<int, ReportRows>{{0, {{"a", {11, 20, 3}}, {"b", {5}}}}});
    CHECK(read(rig, hours(1)) == std::map<int, ReportRows>{{0, {{"a", {11, 20, 3}}, {"b", {5}}}}, {1, {{"a", {7}}}}});
    CHECK(read(rig, hours(0), ReportKind::recipients) == std::map<int, ReportRows>{{0, {{"a", {100}}}}});
    CHECK(read(rig, hours(24), ReportKind::checks).empty());
  });
}

TEST_CASE("store: a name in a report can be anything, and figures are exact") {
  on_every_store([](StoreRig& rig) {
    ReportRows wanted;
    std::vector<ReportRow> rows;
    for (const char* odd : {"", " ", "a b", "a\nb", "j\xc3\xb6rg", "\xff", "{a}", "a'b\"", "-1", "(none)"}) {
      rows.push_back(row(odd, {9'007'199'254'740'000, 0, 1}, rig.clock.wall()));
      wanted[odd] = {9'007'199'254'740'991, 0, 2};
    }
    add(rig, 1, rows);
    for (ReportRow& each : rows) each.figures = {991, 0, 1};
    add(rig, 2, rows);
    CHECK(read(rig) == std::map<int, ReportRows>{{0, wanted}});
  });
}

TEST_CASE("store: of the names of an hour so many have a row, and no figure is lost") {
  on_every_store([](StoreRig& rig) {
    std::vector<ReportRow> rows_in_turn;
    for (size_t i = 0; i < kReportNames + 50; ++i) {
      rows_in_turn.push_back(row("name " + std::to_string(i), {1, 2}, rig.clock.wall()));
    }
    for (const uint64_t id : {1, 2}) add(rig, id, rows_in_turn);
    const auto rows = read(rig).at(0);
    CHECK(rows.size() == kReportNames + 1);
    CHECK(rows.at("name 0") == Figures{2, 4});
    CHECK(rows.at(std::string(kOther)) == Figures{100, 200});
  });
}

TEST_CASE("store: reports go back as far as 31 days") {
  on_every_store([](StoreRig& rig) {
    const WallTime at = rig.clock.wall();
    add(rig, 1, {row("old", {1}, at - kReportKept), row("young", {1}, at), row("a day", {1}, at - hours(24))});
    const auto rows = read(rig, std::chrono::duration_cast<hours>(kReportKept));
    REQUIRE(rows.size() == 3);
    CHECK(rows.at(0).contains("young"));
    CHECK(rows.at(24).contains("a day"));
    CHECK(rows.at(31 * 24).contains("old"));
    CHECK(read(rig, hours(23)).size() == 1);
  });
}

TEST_CASE("store: reports outlive the store, where it is durable") {
  on_every_store([](StoreRig& rig) {
    const WallTime at = rig.clock.wall();
    add(rig, 1, {row("a", {1, 2}, at), row("spf", {3}, at, ReportKind::checks), row("old", {1}, at - hours(48))});
    rig.restart();
    add(rig, 2, {row("a", {1}, at)});
    const auto rows = read(rig, hours(48));
    if (rig.kind.durable) {
      CHECK(rows == std::map<int, ReportRows>{{0, {{"a", {2, 2}}}}, {48, {{"old", {1}}}}});
      CHECK(read(rig, hours(0), ReportKind::checks) == std::map<int, ReportRows>{{0, {{"spf", {3}}}}});
    } else {
      CHECK(rows == std::map<int, ReportRows>{{0, {{"a", {1}}}}});
    }
    rig.restart();
    if (rig.kind.durable) CHECK(read(rig, hours(48)) == rows);
  });
}

TEST_CASE("store: an attempt is told when the first one was made") {
  on_every_store([](StoreRig& rig) {
    GreylistAttempt attempt;
    attempt.client = "192.0.2.0/24";
    attempt.sender = "ann@example.org";
    attempt.recipient = "bob@example.com";
    attempt.block = std::chrono::minutes(4);
    attempt.pass = hours(6);
    attempt.record = hours(24);
    const auto ask = [&] { return rig.run(rig.store->greylist(attempt)); };
    const WallTime first = ask().begun;
    const auto apart = first - rig.clock.wall();
    CHECK(std::max(apart, -apart) < std::chrono::seconds(20));
    rig.pass_time(std::chrono::minutes(1));
    // Where the store's own clock cannot be set forward, its records are set back.
    const auto is_first = [&](WallTime begun, Milliseconds passed) {
      return begun == first || begun + passed == first;
    };
    CHECK(is_first(ask().begun, std::chrono::minutes(1)));
    rig.pass_time(std::chrono::minutes(4));
    const GreylistResult passed = ask();
    CHECK(passed.outcome == GreylistResult::Outcome::passed);
    CHECK(is_first(passed.begun, std::chrono::minutes(5)));
  });
}

}  // namespace
}  // namespace policyd
