// The contract of the journal: rows in the order in which they came, by ranges of places, bounded by number and age,
// durable where the store is.
#include <algorithm>

#include "tests/contract/store_rig.h"

namespace policyd {
namespace {

using std::chrono::days;
using std::chrono::hours;
using test::on_every_store;
using test::StoreRig;

constexpr size_t kSlack = 200;  // by which a store may be late to drop what is too much

JournalRow row(StoreRig& rig, uint32_t number, std::string text = "{}") {
  return {JournalId(rig.clock.wall(), number), "mx1", std::move(text)};
}

void add(StoreRig& rig, std::vector<JournalRow> rows, int64_t most = 1000, Milliseconds keep = days(30)) {
  const auto added = rig.run(rig.store->add_journal({std::move(rows), keep, most}));
  REQUIRE_MESSAGE(added.ok(), added.error().message);
}

JournalPage read(StoreRig& rig, const JournalRange& range) {
  auto page = rig.run(rig.store->journal(range));
  REQUIRE_MESSAGE(page.ok(), page.error().message);
  return *std::move(page);
}

JournalPage all(StoreRig& rig) { return read(rig, {.most = 10'000}); }

std::vector<std::string> texts(const JournalPage& page) {
  std::vector<std::string> texts;
  for (const PlacedRow& placed : page.rows) texts.push_back(placed.row.text);
  return texts;
}
using Texts = std::vector<std::string>;

TEST_CASE("store: the journal gives rows back as they were, in the order in which they came") {
  on_every_store([](StoreRig& rig) {
    CHECK(all(rig).rows.empty());
    CHECK_FALSE(all(rig).more);
    const std::vector<JournalRow> rows{row(rig, 5, R"({"a":"b c"})"), row(rig, 4, ""),
                                       row(rig, 3, "j\xc3\xb6rg \xff '")};
    add(rig, {rows[0], rows[1]});
    add(rig, {rows[2]});
    const JournalPage page = all(rig);
    REQUIRE(page.rows.size() == 3);
    CHECK_FALSE(page.more);
    for (size_t i = 0; i < rows.size(); ++i) CHECK(page.rows[i].row == rows[i]);
    CHECK(page.rows[0].place < page.rows[1].place);
    CHECK(page.rows[1].place < page.rows[2].place);
    CHECK(page.last == page.rows[2].place);
    const auto apart = static_cast<int64_t>(page.last.at) - rig.clock.wall().time_since_epoch().count();
    CHECK(std::abs(apart) < 20'000);
  });
}

TEST_CASE("store: the journal is read page by page, in both directions") {
  on_every_store([](StoreRig& rig) {
    add(rig, {row(rig, 1, "a"), row(rig, 2, "b"), row(rig, 3, "c"), row(rig, 4, "d")});
    const JournalPage page = read(rig, {.most = 3});
    CHECK(texts(page) == Texts{"a", "b", "c"});
    CHECK(page.more);
    const JournalPage rest = read(rig, {.from = page.last.next(), .most = 3});
    CHECK(texts(rest) == Texts{"d"});
    CHECK_FALSE(rest.more);
    CHECK(texts(read(rig, {.from = rest.last.next(), .most = 3})).empty());
    add(rig, {row(rig, 5, "e")});
    CHECK(texts(read(rig, {.from = rest.last.next(), .most = 3})) == Texts{"e"});

    const JournalPage newest = read(rig, {.newest_first = true, .most = 2});
    CHECK(texts(newest) == Texts{"e", "d"});
    CHECK(newest.more);
    CHECK(texts(read(rig, {.to = newest.last.before(), .newest_first = true, .most = 9})) == Texts{"c", "b", "a"});
    CHECK(texts(read(rig, {.from = page.last, .to = rest.last, .most = 9})) == Texts{"c", "d"});
    CHECK(texts(read(rig, {.from = rest.last, .to = page.last, .most = 9})).empty());
  });
}

TEST_CASE("store: rows that are handed over again are there once, or as doubles that can be told") {
  on_every_store([](StoreRig& rig) {
    const std::vector<JournalRow> rows{row(rig, 1, "a"), row(rig, 2, "b")};
    add(rig, rows);
    add(rig, rows);
    JournalRow other = rows[0];
    other.node = "mx2";
    add(rig, {other});
    std::vector<JournalRow> seen;
    for (const PlacedRow& placed : all(rig).rows) {
      if (std::find(seen.begin(), seen.end(), placed.row) == seen.end()) seen.push_back(placed.row);
    }
    CHECK(seen == std::vector<JournalRow>{rows[0], rows[1], other});
  });
}

TEST_CASE("store: the journal keeps to its bound, the oldest go") {
  on_every_store([](StoreRig& rig) {
    for (uint32_t batch = 0; batch < 10; ++batch) {
      std::vector<JournalRow> rows;
      for (uint32_t i = 0; i < 100; ++i) rows.push_back(row(rig, batch * 100 + i, std::to_string(batch * 100 + i)));
      add(rig, std::move(rows), 300);
    }
    const JournalPage page = all(rig);
    CHECK(page.rows.size() >= 300);
    CHECK(page.rows.size() <= 300 + kSlack);
    CHECK(page.rows.back().row.text == "999");
    CHECK(page.rows.front().row.text == std::to_string(1000 - page.rows.size()));
    add(rig, {row(rig, 1000, "1000")}, 1);
    CHECK(all(rig).rows.size() <= 1 + kSlack);
    CHECK(all(rig).rows.back().row.text == "1000");
  });
}

TEST_CASE("store: the journal keeps to its age, also where that has become less") {
  on_every_store([](StoreRig& rig) {
    add(rig, {row(rig, 1, "old")});
    rig.pass_time(days(20));
    add(rig, {row(rig, 2, "younger")});
    rig.pass_time(days(9));
    add(rig, {row(rig, 3, "young")});
    CHECK(texts(all(rig)) == Texts{"old", "younger", "young"});
    rig.pass_time(days(2));
    add(rig, {row(rig, 4, "new")});
    CHECK(texts(all(rig)) == Texts{"younger", "young", "new"});
    add(rig, {row(rig, 5, "newest")}, 1000, hours(1));
    CHECK(texts(all(rig)) == Texts{"new", "newest"});
  });
}

TEST_CASE("store: the journal outlives the store, where it is durable, and places go on") {
  on_every_store([](StoreRig& rig) {
    add(rig, {row(rig, 1, "a"), row(rig, 2, "b")}, 3);
    const JournalPlace before = all(rig).last;
    rig.restart();
    add(rig, {row(rig, 3, "c")}, 3);
    CHECK(texts(all(rig)) == (rig.kind.durable ? Texts{"a", "b", "c"} : Texts{"c"}));
    if (rig.kind.durable) CHECK(before < all(rig).last);
  });
}

}  // namespace
}  // namespace policyd
