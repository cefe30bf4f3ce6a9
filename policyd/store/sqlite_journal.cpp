#include "policyd/store/sqlite_journal.h"

#include <algorithm>

namespace policyd {

namespace {

constexpr unsigned kNumberBits = 20;
constexpr uint64_t kMostNumber = (uint64_t{1} << kNumberBits) - 1;
constexpr uint64_t kMostTime = (uint64_t{1} << (63 - kNumberBits)) - 1;

int64_t to_key(const JournalPlace& place) {
  if (place.at > kMostTime) return INT64_MAX;
  return static_cast<int64_t>(place.at << kNumberBits | std::min(place.number, kMostNumber));
}

JournalPlace to_place(int64_t key) {
  const auto bits = static_cast<uint64_t>(key);
  return {bits >> kNumberBits, bits & kMostNumber};
}

}  // namespace

void SqliteJournal::add(const JournalBatch& batch, WallTime now) {
  if (!rows_) rows_ = database_.number("SELECT count(*) FROM journal");
  // Places never go back, whatever the clock does.
  int64_t key = std::max(to_key(JournalPlace::begin_of(now)), database_.number("SELECT max(place) FROM journal") + 1);
  SqliteStatement put(database_, "INSERT OR IGNORE INTO journal VALUES(?, ?, ?, ?)");
  for (const JournalRow& row : batch.rows) {
    put.bind(key++).bind(static_cast<int64_t>(row.id.number())).bind(row.node).bind(row.text);
    put.step();
    put.again();
    *rows_ += database_.changes();
  }
  SqliteStatement old(database_, "DELETE FROM journal WHERE place < ?");
  old.bind(to_key(JournalPlace::begin_of(now - batch.keep))).step();
  *rows_ -= database_.changes();
  if (*rows_ <= batch.most) return;
  SqliteStatement excess(database_,
                         "DELETE FROM journal WHERE place IN (SELECT place FROM journal ORDER BY place LIMIT ?)");
  excess.bind(*rows_ - batch.most).step();
  *rows_ -= database_.changes();
}

JournalPage SqliteJournal::read(const JournalRange& range) {
  constexpr std::string_view kForward = "SELECT place, id, node, entry FROM journal WHERE place BETWEEN ? AND ?"
                                        " ORDER BY place LIMIT ?";
  constexpr std::string_view kBackward = "SELECT place, id, node, entry FROM journal WHERE place BETWEEN ? AND ?"
                                         " ORDER BY place DESC LIMIT ?";
  JournalPage page;
  SqliteStatement row(database_, range.newest_first ? kBackward : kForward);
  row.bind(to_key(range.from)).bind(to_key(range.to)).bind(static_cast<int64_t>(range.most));
  while (row.step()) {
    const auto id = JournalId::of(static_cast<uint64_t>(row.number(1).value_or(0)));
    page.last = to_place(row.number(0).value_or(0));
    page.rows.push_back({page.last, {id, row.text(2), row.text(3)}});
  }
  page.more = page.rows.size() == range.most;
  return page;
}

}  // namespace policyd
