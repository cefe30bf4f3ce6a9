#include "policyd/store/sliding_window.h"

#include <algorithm>
#include <array>
#include <cstddef>

namespace policyd {

namespace {

constexpr size_t kHeader = 3;  // meter, window, number of buckets
constexpr int64_t kMaximumWindow = 366LL * 24 * 3600 * 1000;  // ms, as Limit::parse has it
constexpr int64_t kMaximumCount = (1LL << 53) - 1;

// Where one counter stands in the cells.
struct Slice {
  size_t at;        // of its header
  int64_t meter;
  int64_t window;   // ms
  size_t buckets;
  [[nodiscard]] size_t first() const { return at + kHeader; }
  [[nodiscard]] size_t end() const { return first() + 2 * buckets; }
};

Slice slice_at(const Counters::Cells& cells, size_t at) {
  return {at, cells[at], cells[at + 1], static_cast<size_t>(cells[at + 2])};
}

bool is_of(const Slice& slice, const Limit& limit) {
  return slice.meter == static_cast<int64_t>(limit.meter) && slice.window == limit.window.count();
}

std::optional<Slice> find(const Counters::Cells& cells, const Limit& limit) {
  for (size_t at = 0; at < cells.size();) {
    const Slice slice = slice_at(cells, at);
    if (is_of(slice, limit)) return slice;
    at = slice.end();
  }
  return std::nullopt;
}

// The counters of one limit after the other, which mostly stand in that order.
class Finder {
 public:
  explicit Finder(const Counters::Cells& cells) : cells_(cells) {}
  std::optional<Slice> find(const Limit& limit) {
    std::optional<Slice> slice;
    if (next_ < cells_.size()) slice = slice_at(cells_, next_);
    if (!slice || !is_of(*slice, limit)) slice = policyd::find(cells_, limit);
    if (slice) next_ = slice->end();
    return slice;
  }

 private:
  const Counters::Cells& cells_;
  size_t next_ = 0;
};

// The first millisecond of an interval.
int64_t begin_of(int64_t bucket, int64_t window) {
  return (bucket * window + kBucketsPerWindow - 1) / kBucketsPerWindow;
}

// The number of the interval that `now` is in. Widths are fractions of a millisecond for windows that 60 does not
// divide. What is asked for is nearly always what was asked for last of the same window, which saves a division.
int64_t bucket_of(int64_t now, int64_t window) {
  struct Interval {
    int64_t window = 0, from = 0, until = 0, bucket = 0;
  };
  constexpr int kBits = 4;
  thread_local std::array<Interval, 1 << kBits> recent{};
  Interval& known = recent[static_cast<uint64_t>(window) * 0x9e3779b97f4a7c15 >> (64 - kBits)];
  if (known.window == window && now >= known.from && now < known.until) return known.bucket;
  const int64_t bucket = now * kBucketsPerWindow / window;
  if (now >= 0) known = {window, begin_of(bucket, window), begin_of(bucket + 1, window), bucket};
  return bucket;
}

// A bucket counts while its end is younger than the window; one from a future beyond all clock skew is bogus.
bool alive(int64_t bucket, int64_t current) {
  return bucket >= current - kBucketsPerWindow && bucket <= current + kBucketsPerWindow;
}

// The first millisecond at which `bucket` counts no more.
int64_t dies_at(int64_t bucket, int64_t window) { return begin_of(bucket + kBucketsPerWindow + 1, window); }

int64_t used(const Counters::Cells& cells, const Slice& slice, int64_t current) {
  int64_t sum = 0;
  for (size_t at = slice.first(); at < slice.end(); at += 2) {
    if (alive(cells[at], current)) sum += cells[at + 1];
  }
  return sum;
}

// How long until `amount` more passes under `maximum`: buckets die in order of age.
int64_t wait_for(const Counters::Cells& cells, const Slice& slice, int64_t now, int64_t excess) {
  const int64_t current = bucket_of(now, slice.window);
  int64_t until = now;
  for (size_t at = slice.first(); at < slice.end() && excess > 0; at += 2) {
    if (!alive(cells[at], current)) continue;
    excess -= cells[at + 1];
    until = dies_at(cells[at], slice.window);
  }
  return std::max<int64_t>(until - now, 1);
}

// Adds to (or takes from) the buckets [first, end) of `out`, which are sorted by age.
void add_amount(Counters::Cells& out, size_t first, int64_t bucket, int64_t amount) {
  for (size_t at = first; amount < 0 && at < out.size(); at += 2) {
    const int64_t taken = std::min(out[at + 1], -amount);
    out[at + 1] -= taken;
    amount += taken;
  }
  if (amount <= 0) return;
  size_t at = out.size();
  while (at > first && out[at - 2] > bucket) at -= 2;
  if (at > first && out[at - 2] == bucket) {
    out[at - 1] += amount;
  } else {
    const int64_t pair[] = {bucket, amount};
    out.insert(out.begin() + static_cast<ptrdiff_t>(at), pair, pair + 2);
  }
}

// Copies a counter's living buckets to `out`, changed by `amount`; a counter with nothing in it vanishes.
void rewrite(Counters::Cells& out, const Counters::Cells& cells, const Slice* slice, int64_t meter,
             int64_t window, int64_t amount, int64_t now) {
  const int64_t current = bucket_of(now, window);
  const size_t at = out.size();
  out.insert(out.end(), {meter, window, 0});
  const size_t first = out.size();
  for (size_t from = slice ? slice->first() : 0; slice && from < slice->end(); from += 2) {
    if (alive(cells[from], current)) out.insert(out.end(), {cells[from], cells[from + 1]});
  }
  add_amount(out, first, current, amount);
  size_t keep = first;
  for (size_t from = first; from < out.size(); from += 2) {
    if (out[from + 1] == 0) continue;
    out[keep] = out[from];
    out[keep + 1] = out[from + 1];
    keep += 2;
  }
  out.resize(keep == first ? at : keep);
  if (keep > first) out[at + 2] = static_cast<int64_t>((keep - first) / 2);
}

// What all the rest relies on: buckets sorted by age, each with something in it, sums that do not overflow.
bool sound(const Counters::Cells& cells, const Slice& slice) {
  if (slice.buckets > static_cast<size_t>(4 * kBucketsPerWindow)) return false;
  for (size_t at = slice.first(); at < slice.end(); at += 2) {
    if (cells[at] < 0 || (at > slice.first() && cells[at] <= cells[at - 2])) return false;
    if (cells[at + 1] < 1 || cells[at + 1] > kMaximumCount) return false;
  }
  return true;
}

bool concerns(const Limits& limits, const Slice& slice) {
  return std::any_of(limits.begin(), limits.end(), [&slice](const Limit& limit) { return is_of(slice, limit); });
}

// Whether the counter can take `amount` more by a mere addition: nothing in it has run out, and its newest bucket is
// the current one where there is something to add.
bool takes_in_place(const Counters::Cells& cells, const Slice& slice, int64_t amount, int64_t now) {
  if (slice.buckets == 0) return false;
  const int64_t current = bucket_of(now, slice.window);
  const int64_t oldest = cells[slice.first()], newest = cells[slice.end() - 2];
  return alive(oldest, current) && alive(newest, current) && (amount == 0 || newest == current);
}

int64_t amount_of(const Amounts& amounts, const Limit& limit) { return amounts[static_cast<size_t>(limit.meter) - 1]; }

// What a counter is to be given: nothing where it is of none of `limits`. They mostly stand in the order of the
// counters, so the search goes on at `next`.
int64_t amount_of(const Amounts& amounts, const Limits& limits, const Slice& slice, size_t& next) {
  if (is_sign(static_cast<Meter>(slice.meter))) return 0;
  for (size_t step = 0; step < limits.size(); ++step) {
    const Limit& limit = limits[next];
    next = next + 1 < limits.size() ? next + 1 : 0;
    if (is_of(slice, limit)) return amount_of(amounts, limit);
  }
  return 0;
}

// What a busy account mostly needs: adds where the cells are. False, with nothing changed, where the cells have to be
// made anew: something is given back, has run out, or begins a bucket or a counter.
bool add_in_place(Counters::Cells& cells, const Limits& limits, const Amounts& amounts, int64_t now) {
  if (std::any_of(amounts.begin(), amounts.end(), [](int64_t amount) { return amount < 0; })) return false;
  struct Addition {
    size_t at;
    int64_t amount;
  };
  constexpr size_t kMost = 16;  // counters; accounts with more are made anew
  std::array<Addition, kMost> additions;
  size_t size = 0, next = 0;
  for (size_t at = 0; at < cells.size();) {
    const Slice slice = slice_at(cells, at);
    at = slice.end();
    const int64_t amount = amount_of(amounts, limits, slice, next);
    if (size == kMost || !takes_in_place(cells, slice, amount, now)) return false;
    if (amount != 0) additions[size++] = {at - 1, amount};
  }
  const auto wanted = std::count_if(limits.begin(), limits.end(),
                                    [&amounts](const Limit& limit) { return amount_of(amounts, limit) != 0; });
  if (size != static_cast<size_t>(wanted)) return false;
  for (size_t i = 0; i < size; ++i) cells[additions[i].at] += additions[i].amount;
  return true;
}

// What `amounts` means for one counter: nothing is given back where it does not count any more.
int64_t amount_for(const Amounts& amounts, int64_t meter, int64_t window, int64_t now, int64_t since) {
  const int64_t amount = amounts[static_cast<size_t>(meter - 1)];
  return amount < 0 && !alive(bucket_of(since, window), bucket_of(now, window)) ? 0 : amount;
}

}  // namespace

std::optional<Counters> Counters::from_cells(Cells cells) {
  size_t at = 0;
  while (at < cells.size()) {
    if (cells.size() - at < kHeader) return std::nullopt;
    const int64_t meter = cells[at], window = cells[at + 1], buckets = cells[at + 2];
    if (meter < 1 || meter > static_cast<int64_t>(kMeters) || buckets < 0) return std::nullopt;
    if (window < 1 || window > kMaximumWindow) return std::nullopt;
    if (static_cast<uint64_t>(buckets) > (cells.size() - at - kHeader) / 2) return std::nullopt;
    const Slice slice = slice_at(cells, at);
    if (!sound(cells, slice)) return std::nullopt;
    at = slice.end();
  }
  Counters counters;
  counters.cells_ = std::move(cells);
  return counters;
}

ChargeResult Counters::test(const Limits& limits, const Amounts& amounts, WallTime now) const {
  const int64_t now_ms = now.time_since_epoch().count();
  ChargeResult result;
  Finder finder(cells_);
  for (const Limit& limit : limits) {
    const int64_t amount = amount_of(amounts, limit);
    if (amount <= 0) continue;
    const auto slice = finder.find(limit);
    const int64_t sum = slice ? policyd::used(cells_, *slice, bucket_of(now_ms, slice->window)) : 0;
    if (sum + amount <= limit.maximum) continue;
    const bool never = amount > limit.maximum;
    if (never) {
      return {false, false, limit, std::nullopt, std::nullopt, 0, {}};
    }
    const Milliseconds wait(wait_for(cells_, *slice, now_ms, sum + amount - limit.maximum));
    if (result.passed || wait > *result.retry_after) result = {false, false, limit, wait, std::nullopt, 0, {}};
  }
  return result;
}

void Counters::add(const Limits& limits, const Amounts& amounts, WallTime now, WallTime since) {
  const int64_t now_ms = now.time_since_epoch().count();
  if (add_in_place(cells_, limits, amounts, now_ms)) return;
  const auto amount_of = [&](int64_t meter, int64_t window) {
    return amount_for(amounts, meter, window, now_ms, since.time_since_epoch().count());
  };
  Cells next;
  next.reserve(cells_.size() + 5 * limits.size());
  // Counters of windows that these limits do not know (another node's configuration) go on as they are.
  for (size_t at = 0; at < cells_.size();) {
    const Slice slice = slice_at(cells_, at);
    at = slice.end();
    const int64_t amount = concerns(limits, slice) ? amount_of(slice.meter, slice.window) : 0;
    rewrite(next, cells_, &slice, slice.meter, slice.window, amount, now_ms);
  }
  for (const Limit& limit : limits) {
    if (find(cells_, limit)) continue;
    const auto meter = static_cast<int64_t>(limit.meter);
    const int64_t window = limit.window.count();
    rewrite(next, cells_, nullptr, meter, window, amount_of(meter, window), now_ms);
  }
  // Not moved: an account keeps exactly what it needs, as there may be a million of them.
  cells_ = Cells(next.begin(), next.end());
}

int64_t Counters::used(const Limit& limit, WallTime now) const {
  const auto slice = find(cells_, limit);
  return slice ? policyd::used(cells_, *slice, bucket_of(now.time_since_epoch().count(), slice->window)) : 0;
}

std::optional<Counters::Over> Counters::over(const Limits& signs, WallTime now) const {
  const Limit* first = nullptr;
  int64_t used = 0;
  for (size_t at = 0; at < cells_.size();) {
    const Slice slice = slice_at(cells_, at);
    at = slice.end();
    if (!is_sign(static_cast<Meter>(slice.meter))) continue;
    const auto last = first ? signs.begin() + (first - signs.data()) : signs.end();
    const auto limit = std::find_if(signs.begin(), last, [&slice](const Limit& one) { return is_of(slice, one); });
    if (limit == last) continue;
    const int64_t held = policyd::used(cells_, slice, bucket_of(now.time_since_epoch().count(), slice.window));
    if (held <= limit->maximum) continue;
    first = &*limit;
    used = held;
  }
  return first ? std::optional(Over{first, used}) : std::nullopt;
}

Milliseconds Counters::wait(const Limit& limit, int64_t excess, WallTime now) const {
  const auto slice = find(cells_, limit);
  return Milliseconds(slice ? wait_for(cells_, *slice, now.time_since_epoch().count(), excess) : 1);
}

void Counters::add(const Limit& limit, int64_t amount, WallTime now) {
  const int64_t now_ms = now.time_since_epoch().count();
  const auto slice = find(cells_, limit);
  if (slice && takes_in_place(cells_, *slice, amount, now_ms)) {
    cells_[slice->end() - 1] += amount;
    return;
  }
  Cells next(cells_.begin(), cells_.begin() + static_cast<ptrdiff_t>(slice ? slice->at : cells_.size()));
  rewrite(next, cells_, slice ? &*slice : nullptr, static_cast<int64_t>(limit.meter), limit.window.count(), amount,
          now_ms);
  if (slice) next.insert(next.end(), cells_.begin() + static_cast<ptrdiff_t>(slice->end()), cells_.end());
  cells_ = std::move(next);
}

bool Counters::take_one(const Limit& limit, WallTime at, WallTime now) {
  const auto slice = find(cells_, limit);
  if (!slice || !counts(limit, at, now)) return false;
  const int64_t bucket = bucket_of(at.time_since_epoch().count(), slice->window);
  size_t place = slice->first();
  while (place < slice->end() && cells_[place] != bucket) place += 2;
  if (place == slice->end()) return false;
  if (--cells_[place + 1] > 0) return true;
  const auto pair = cells_.begin() + static_cast<ptrdiff_t>(place);
  cells_.erase(pair, pair + 2);
  if (--cells_[slice->at + 2] > 0) return true;
  const auto header = cells_.begin() + static_cast<ptrdiff_t>(slice->at);
  cells_.erase(header, header + kHeader);
  return true;
}

bool Counters::earlier_bucket(const Limit& limit, WallTime at, WallTime now) {
  const int64_t window = limit.window.count();
  return bucket_of(at.time_since_epoch().count(), window) < bucket_of(now.time_since_epoch().count(), window);
}

bool Counters::counts(const Limit& limit, WallTime at, WallTime now) {
  const int64_t window = limit.window.count();
  return alive(bucket_of(at.time_since_epoch().count(), window), bucket_of(now.time_since_epoch().count(), window));
}

void Counters::drop_signs() {
  Cells left;
  for (size_t at = 0; at < cells_.size();) {
    const Slice slice = slice_at(cells_, at);
    if (!is_sign(static_cast<Meter>(slice.meter))) {
      left.insert(left.end(), cells_.begin() + static_cast<ptrdiff_t>(at),
                  cells_.begin() + static_cast<ptrdiff_t>(slice.end()));
    }
    at = slice.end();
  }
  cells_ = std::move(left);
}

std::vector<Usage> Counters::usage(WallTime now) const {
  const int64_t now_ms = now.time_since_epoch().count();
  std::vector<Usage> all;
  for (size_t at = 0; at < cells_.size();) {
    const Slice slice = slice_at(cells_, at);
    at = slice.end();
    const int64_t sum = policyd::used(cells_, slice, bucket_of(now_ms, slice.window));
    if (sum > 0) all.push_back({static_cast<Meter>(slice.meter), Milliseconds(slice.window), sum});
  }
  return all;
}

bool Counters::empty(WallTime now) const { return usage(now).empty(); }

}  // namespace policyd
