#include "policyd/store/packed_numbers.h"

#include <bit>
#include <cstring>
#include <map>
#include <vector>

#include "shared/text.h"

namespace policyd {

namespace {

constexpr std::string_view kForm = "policyd\5";  // another form gets another number
constexpr size_t kOctets = 8;
constexpr double kExact = 9007199254740992.0;  // 2^53

uint64_t little_endian(uint64_t number) {
  return std::endian::native == std::endian::little ? number : __builtin_bswap64(number);
}

// One counter, its buckets by age.
struct Counter {
  int64_t meter = 0;
  int64_t window = 0;  // ms
  int64_t newest = 0;
  std::map<int64_t, int64_t> buckets;
};

// Reads numbers from the front. Where there is no further one, or one that is not whole, all that follows is 0 and
// ok() is false.
class Reader {
 public:
  explicit Reader(std::string_view octets) : octets_(octets) {}
  [[nodiscard]] bool ok() const { return ok_; }
  [[nodiscard]] bool at_end() const { return octets_.empty() || !ok_; }
  [[nodiscard]] int64_t left() const { return static_cast<int64_t>(octets_.size() / kOctets); }
  void fail() { ok_ = false; }

  int64_t take() {
    if (octets_.size() < kOctets) ok_ = false;
    if (!ok_) return 0;
    uint64_t bits = 0;
    std::memcpy(&bits, octets_.data(), kOctets);
    octets_.remove_prefix(kOctets);
    const auto number = std::bit_cast<double>(little_endian(bits));
    ok_ = number >= 0 && number < kExact;
    if (!ok_) return 0;
    const auto whole = static_cast<int64_t>(number);
    ok_ = static_cast<double>(whole) == number;
    return ok_ ? whole : 0;
  }

  // Of any kind.
  void skip(size_t numbers) {
    ok_ = ok_ && numbers <= octets_.size() / kOctets;
    if (ok_) octets_.remove_prefix(numbers * kOctets);
  }

  void take_buckets(Counter& counter, int64_t pairs) {
    for (; pairs > 0 && ok_; --pairs) {
      const int64_t bucket = take();
      const int64_t count = take();
      const bool sorted = counter.buckets.empty() || counter.buckets.rbegin()->first < bucket;
      ok_ = ok_ && sorted && count > 0;
      counter.buckets[bucket] = count;
    }
  }

 private:
  std::string_view octets_;
  bool ok_ = true;
};

std::vector<int64_t> take_row(Reader& reader, int64_t size) {
  if (size > reader.left()) reader.fail();
  std::vector<int64_t> row(reader.ok() ? static_cast<size_t>(size) : 0);
  for (int64_t& number : row) number = reader.take();
  return row;
}

// The counters that the limits charged last are about.
void take_current(Reader& reader, std::vector<Counter>& counters) {
  reader.skip(1);  // what stands for the limits
  const int64_t from = reader.take();
  reader.skip(2);  // until; the network
  const std::vector<int64_t> added = take_row(reader, reader.take());
  reader.skip(added.size());  // how much more passes
  const int64_t size = reader.take();
  if (size > reader.left()) return reader.fail();
  counters.resize(static_cast<size_t>(size));
  for (Counter& counter : counters) {
    counter.meter = reader.take();
    counter.window = reader.take();
    if (counter.window == 0) return reader.fail();
  }
  std::map<int64_t, int64_t> added_to;  // by meter
  for (Counter& counter : counters) {
    if (!added_to.contains(counter.meter)) {
      if (added_to.size() == added.size()) return reader.fail();
      added_to.emplace(counter.meter, added[added_to.size()]);
    }
    reader.skip(1);  // the total
    counter.newest = reader.take() + added_to.at(counter.meter);
  }
  const std::vector<int64_t> pairs = take_row(reader, size);
  if (!reader.ok()) return;
  for (size_t i = 0; i < counters.size(); ++i) {
    Counter& counter = counters[i];
    reader.take_buckets(counter, pairs[i]);
    if (counter.newest > 0) counter.buckets[from * kBucketsPerWindow / counter.window] += counter.newest;
  }
}

void take_others(Reader& reader, std::vector<Counter>& counters) {
  while (!reader.at_end()) {
    Counter counter;
    counter.meter = reader.take();
    counter.window = reader.take();
    reader.take();  // the total
    reader.take_buckets(counter, reader.take());
    counters.push_back(std::move(counter));
  }
}

Counters::Cells to_cells(const std::vector<Counter>& counters) {
  Counters::Cells cells;
  for (const Counter& counter : counters) {
    if (counter.buckets.empty()) continue;
    cells.insert(cells.end(), {counter.meter, counter.window, static_cast<int64_t>(counter.buckets.size())});
    for (const auto& [bucket, count] : counter.buckets) cells.insert(cells.end(), {bucket, count});
  }
  return cells;
}

}  // namespace

int64_t number_at(std::string_view octets, size_t index) {
  return index < octets.size() / kOctets ? Reader(octets.substr(kOctets * index)).take() : 0;
}

void append_number(std::string& out, double number) {
  const uint64_t bits = little_endian(std::bit_cast<uint64_t>(number));
  char octets[kOctets];
  std::memcpy(octets, &bits, kOctets);
  out.append(octets, kOctets);
}

void append_limits(std::string& out, const Limits& limits, const Limits& signs) {
  const size_t begin = out.size();
  out.append(kForm).append(kOctets, '\0');
  for (const Limits* list : {&limits, &signs}) {
    for (const Limit& limit : *list) {
      append_number(out, static_cast<double>(limit.meter));
      append_number(out, static_cast<double>(limit.window.count()));
    }
  }
  for (const Limits* list : {&limits, &signs}) {
    for (const Limit& limit : *list) append_number(out, static_cast<double>(limit.maximum));
  }
  const uint64_t hash = little_endian(stable_hash(std::string_view(out).substr(begin)));
  std::memcpy(out.data() + begin + kForm.size(), &hash, kOctets);
}

std::optional<Counters> unpack_counters(std::string_view octets) {
  if (octets.empty()) return Counters{};
  if (!octets.starts_with(kForm)) return std::nullopt;
  Reader reader(octets.substr(kForm.size()));
  std::vector<Counter> counters;
  take_current(reader, counters);
  take_others(reader, counters);
  if (!reader.ok()) return std::nullopt;
  return Counters::from_cells(to_cells(counters));
}

}  // namespace policyd
