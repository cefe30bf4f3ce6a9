#include "policyd/store/seen_elements.h"

#include <cstring>
#include <utility>

#include "policyd/recent_table.h"

namespace policyd {

namespace {

constexpr size_t kSmallest = 4;
constexpr char kForm = 1;  // another form gets another number
constexpr size_t kNumber = sizeof(uint64_t);

void append(std::string& out, uint64_t number) {
  char octets[kNumber];
  std::memcpy(octets, &number, kNumber);
  out.append(octets, kNumber);
}

uint64_t take(std::string_view& octets) {
  uint64_t number = 0;
  std::memcpy(&number, octets.data(), kNumber);
  octets.remove_prefix(kNumber);
  return number;
}

}  // namespace

SeenElements::SeenElements() : key_{random_seed(), random_seed()} {}

uint64_t SeenElements::hash(Meter meter, std::string_view element) const {
  SipKey key = key_;
  key.first += static_cast<uint64_t>(meter);
  const uint64_t hash = siphash(key, element).low & ~uint64_t{1};
  return hash == 0 ? 2 : hash;
}

size_t SeenElements::place_of(uint64_t hash) const {
  size_t place = home(hash);
  while (entries_[place].hash != 0 && entries_[place].hash != hash) place = (place + 1) & (entries_.size() - 1);
  return place;
}

std::optional<int64_t> SeenElements::find(uint64_t hash) const {
  if (size_ == 0) return std::nullopt;
  const Entry& entry = entries_[place_of(hash)];
  return entry.hash == hash ? std::optional(entry.at) : std::nullopt;
}

void SeenElements::put(uint64_t hash, int64_t at, int64_t useless) {
  if (entries_.empty() || 4 * (size_ + 1) > 3 * entries_.size()) resize(useless);
  Entry& entry = entries_[place_of(hash)];
  if (entry.hash == 0) ++size_;
  entry = {hash, at};
}

void SeenElements::resize(int64_t useless) {
  std::vector<Entry> kept;
  for (const Entry& entry : entries_) {
    if (entry.hash != 0 && entry.at >= useless) kept.push_back(entry);
  }
  size_t places = kSmallest;
  while (4 * (kept.size() + 1) > 3 * places) places *= 2;
  entries_ = std::vector<Entry>(places);
  size_ = kept.size();
  for (const Entry& entry : kept) entries_[place_of(entry.hash)] = entry;
}

std::string SeenElements::to_octets(int64_t useless) const {
  std::string out(1, kForm);
  out.reserve(1 + 2 * kNumber * (1 + size_));
  append(out, key_.first);
  append(out, key_.second);
  for (const Entry& entry : entries_) {
    if (entry.hash == 0 || entry.at < useless) continue;
    append(out, entry.hash);
    append(out, static_cast<uint64_t>(entry.at));
  }
  return out;
}

std::optional<SeenElements> SeenElements::from_octets(std::string_view octets) {
  constexpr size_t kPair = 2 * kNumber;
  if (octets.size() < 1 + kPair || octets.front() != kForm || (octets.size() - 1) % kPair != 0) return std::nullopt;
  octets.remove_prefix(1);
  SipKey key;
  key.first = take(octets);
  key.second = take(octets);
  SeenElements seen(key);
  while (!octets.empty()) {
    const uint64_t hash = take(octets);
    const auto at = static_cast<int64_t>(take(octets));
    if (hash == 0 || (hash & 1) != 0 || at < 0) return std::nullopt;
    seen.put(hash, at, 0);
  }
  return seen;
}

}  // namespace policyd
