// What the journal is made of, as the stores see it: rows in the order in which they came, each at a place of its own.
//
// A row is a line of JSON (entry.h) with the id of its entry and the node that wrote it. Stores bound how many rows
// there are and how long they are kept, and know no more of them. A row may be there twice, at two places, where the
// answer to a batch was lost: whoever reads leaves out what he has seen (id and node). Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "policyd/journal/id.h"
#include "shared/clock.h"

namespace policyd {

struct JournalRow {
  JournalId id;
  std::string node;
  std::string text;  // JSON, one line without a line end
  bool operator==(const JournalRow&) const = default;
};

// Where a row stands: when the store took it, by the store's clock, and its number within that moment. Never goes back.
struct JournalPlace {
  uint64_t at = 0;  // ms since 1970
  uint64_t number = 0;

  static JournalPlace begin_of(WallTime time);
  // "1795255200123-0", as Redis names entries of a stream.
  static std::optional<JournalPlace> parse(std::string_view text);
  [[nodiscard]] std::string to_string() const;
  // The next one that there could be, and the one before.
  [[nodiscard]] JournalPlace next() const;
  [[nodiscard]] JournalPlace before() const;
  auto operator<=>(const JournalPlace&) const = default;
};
inline constexpr JournalPlace kLastPlace{UINT64_MAX, UINT64_MAX};

// Handed to a store at a time.
struct JournalBatch {
  std::vector<JournalRow> rows;
  Milliseconds keep{};  // what is older goes
  int64_t most = 0;     // rows in all; where there are more the oldest go. More than 0.
};

// Which rows are asked for: those from `from` to `to`, both included, at most `most` of them.
struct JournalRange {
  JournalPlace from{};
  JournalPlace to = kLastPlace;
  bool newest_first = false;
  size_t most = 0;
};

struct PlacedRow {
  JournalPlace place;
  JournalRow row;
};
struct JournalPage {
  std::vector<PlacedRow> rows;
  JournalPlace last{};  // what was looked at last, also where that was no row of policyd's
  bool more = false;    // there may be others behind it
};

}  // namespace policyd
