#include "policyd/store/journal_ring.h"

#include <algorithm>
#include <utility>

namespace policyd {

namespace {

size_t octets_of(const JournalRow& row) { return sizeof(PlacedRow) + row.node.size() + row.text.size(); }

}  // namespace

void JournalRing::add(JournalBatch batch, WallTime now) {
  for (JournalRow& row : batch.rows) {
    last_ = std::max(JournalPlace::begin_of(now), last_.next());
    octets_ += octets_of(row);
    rows_.push_back({last_, std::move(row)});
  }
  const JournalPlace oldest = JournalPlace::begin_of(now - batch.keep);
  while (!rows_.empty() && (rows_.front().place < oldest || rows_.size() > static_cast<size_t>(batch.most) ||
                            octets_ > most_octets_)) {
    drop_oldest();
  }
}

void JournalRing::drop_oldest() {
  octets_ -= octets_of(rows_.front().row);
  rows_.pop_front();
}

JournalPage JournalRing::read(const JournalRange& range) const {
  const auto begin = std::lower_bound(rows_.begin(), rows_.end(), range.from,
                                      [](const PlacedRow& row, const JournalPlace& from) { return row.place < from; });
  const auto end = std::upper_bound(begin, rows_.end(), range.to,
                                    [](const JournalPlace& to, const PlacedRow& row) { return to < row.place; });
  const auto count = std::min(static_cast<std::ptrdiff_t>(range.most), end - begin);
  JournalPage page;
  if (range.newest_first) {
    page.rows.assign(std::make_reverse_iterator(end), std::make_reverse_iterator(end - count));
  } else {
    page.rows.assign(begin, begin + count);
  }
  if (!page.rows.empty()) page.last = page.rows.back().place;
  page.more = page.rows.size() == range.most;
  return page;
}

}  // namespace policyd
