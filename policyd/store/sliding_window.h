// Sliding windows: how much an account has used of each of its limits, and whether more would pass.
//
// A window is divided into 60 buckets; a counter keeps the buckets that hold something, each with the number of its
// interval (time / width) and what was counted in it. An event counts until all of its bucket is older than the window,
// so:
//   - no interval of the window's length ever lets more than N through (the excess is 0);
//   - a silent account has its full N again after at most window + window/60.
// All counters of an account are one flat vector of cells: [meter, window in ms, n, bucket, count, ... (n pairs)] for
// each counter, the same that the state file stores; what Redis keeps (packed_numbers.h) has each counter's total
// besides. Pure: times are given; what a thread remembers of them changes no result.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "policyd/store/store.h"
#include "shared/limits.h"

namespace policyd {

inline constexpr int64_t kBucketsPerWindow = 60;

// What a charge adds, per meter that is no sign (index = Meter - 1). Negative amounts give back.
using Amounts = std::array<int64_t, 3>;

class Counters {
 public:
  using Cells = std::vector<int64_t>;

  Counters() = default;
  // Cells from outside (a state file); nothing where they are damaged.
  static std::optional<Counters> from_cells(Cells cells);
  [[nodiscard]] const Cells& cells() const { return cells_; }

  // Whether `amounts` would pass all of `limits` at `now`. Changes nothing.
  [[nodiscard]] ChargeResult test(const Limits& limits, const Amounts& amounts, WallTime now) const;

  // Counts `amounts` at `now`, in every window of `limits`, and drops what has run out. What is given back was
  // counted at `since` or later: a window that has forgotten that time already gives nothing back, the others take it
  // from the oldest buckets first (what remains then counts rather longer than shorter), never below zero. Allocates
  // nothing while every counter concerned is in its current bucket and none has run out.
  void add(const Limits& limits, const Amounts& amounts, WallTime now, WallTime since);

  // Signs, one counter at a time. What counts in a limit's window; and how long until `excess` less does.
  [[nodiscard]] int64_t used(const Limit& limit, WallTime now) const;
  [[nodiscard]] Milliseconds wait(const Limit& limit, int64_t excess, WallTime now) const;
  // The first of `signs` whose window holds more than it allows, and how much.
  struct Over {
    const Limit* limit;
    int64_t used;
  };
  [[nodiscard]] std::optional<Over> over(const Limits& signs, WallTime now) const;
  // Adds `amount` at `now`.
  void add(const Limit& limit, int64_t amount, WallTime now);
  // Takes one from the bucket of `at`. False: there is none in it, or it counts no more.
  bool take_one(const Limit& limit, WallTime at, WallTime now);
  // Whether `at` is in an earlier bucket than `now`; and whether what happened at `at` still counts.
  static bool earlier_bucket(const Limit& limit, WallTime at, WallTime now);
  static bool counts(const Limit& limit, WallTime at, WallTime now);

  void drop_signs();  // what is_sign() counts

  [[nodiscard]] std::vector<Usage> usage(WallTime now) const;
  [[nodiscard]] bool empty(WallTime now) const;

 private:
  Cells cells_;
};

}  // namespace policyd
