// A table of what was seen of late: a fixed number of entries, found by a 64-bit key, the oldest forgotten first.
//
// Built like a processor's cache, because memory is what it costs: an entry may stand in any of the kWays places of its
// set, and nowhere else. The keys of a set of 8 fill one cache line and every place has its value, so that a miss
// touches one line and a hit little more; no chains are followed and nothing is allocated for an entry. A full set
// forgets its own oldest entry, not the oldest of all: with 8 ways an entry outlives the next kEntries / 8 but for one
// in 100,000.
//
// The key is the identity: whoever derives it sees to it that 64 bits tell entries apart (random_seed(), where
// strangers choose what is hashed). Memory comes with the first entry and its pages only when they are written to.
// Where there is none, std::bad_alloc. One thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <new>
#include <random>
#include <type_traits>

namespace policyd {

// For the keys of one process: nobody outside can tell which of them collide.
inline uint64_t random_seed() {
  std::random_device device;
  return uint64_t{device()} << 32 | device();
}

template <typename Value, size_t kSets, size_t kWays = 8>
class RecentTable {
  static_assert(kSets > 0 && (kSets & (kSets - 1)) == 0, "a set is chosen by the low bits of a key");
  static_assert(kWays > 0 && kWays <= 256, "places are counted in an octet");

 public:
  static constexpr size_t kEntries = kSets * kWays;

  RecentTable() = default;
  RecentTable(const RecentTable&) = delete;
  RecentTable& operator=(const RecentTable&) = delete;
  ~RecentTable() { clear(); }

  // Null where it is not there. Good until the next insert() or clear().
  [[nodiscard]] Value* find(uint64_t key) {
    if (!places_) return nullptr;
    const uint64_t tag = tag_of(key);
    const size_t set = set_of(tag);
    for (size_t way = 0; way < kWays; ++way) {
      if (places_->tags[set][way] == tag) return value_at(set, way);
    }
    return nullptr;
  }
  [[nodiscard]] const Value* find(uint64_t key) const { return const_cast<RecentTable*>(this)->find(key); }

  // Has the memory of a key's set on its way to the cache by the time that find() or insert() is called.
  void prefetch(uint64_t key) const {
    if (!places_) return;
    const size_t set = set_of(tag_of(key));
    __builtin_prefetch(places_->tags[set]);
    __builtin_prefetch(places_->values[set][places_->oldest[set]]);
  }

  // A fresh value for a key that is not there; the oldest of its set goes for it.
  Value& insert(uint64_t key) {
    if (!places_) reserve();
    const uint64_t tag = tag_of(key);
    const size_t set = set_of(tag);
    const size_t way = places_->oldest[set];
    if (places_->tags[set][way] != kNoTag) std::destroy_at(value_at(set, way));
    places_->tags[set][way] = kNoTag;  // for a constructor that throws
    Value* const value = ::new (places_->values[set][way]) Value();
    places_->tags[set][way] = tag;
    places_->oldest[set] = static_cast<uint8_t>((way + 1) % kWays);
    return *value;
  }

  // Forgets all and gives the memory back.
  void clear() {
    if (!places_) return;
    if constexpr (!std::is_trivially_destructible_v<Value>) destroy_values();
    places_ = nullptr;
    memory_.reset();
  }

 private:
  static constexpr size_t kCacheLine = 64;
  static constexpr uint64_t kNoTag = 0;  // of a place that was never taken

  // All zero is empty. Only clear() takes entries out, so a set fills from its first place on, and `oldest` goes round:
  // what it points to is free until the set is full, and from then on the oldest.
  struct Places {
    alignas(kCacheLine) uint64_t tags[kSets][kWays];
    alignas(Value) std::byte values[kSets][kWays][sizeof(Value)];
    uint8_t oldest[kSets];
  };
  struct Free {
    void operator()(void* memory) const { std::free(memory); }
  };

  static uint64_t tag_of(uint64_t key) { return key == kNoTag ? 1 : key; }
  static size_t set_of(uint64_t tag) { return tag % kSets; }
  Value* value_at(size_t set, size_t way) {
    return std::launder(reinterpret_cast<Value*>(places_->values[set][way]));
  }

  // calloc() has zero pages from the kernel without writing to them, but aligns for no more than its own needs.
  void reserve() {
    size_t size = sizeof(Places) + kCacheLine;
    memory_.reset(std::calloc(1, size));
    if (!memory_) throw std::bad_alloc();
    void* start = memory_.get();
    places_ = static_cast<Places*>(std::align(kCacheLine, sizeof(Places), start, size));
  }

  void destroy_values() {
    for (size_t set = 0; set < kSets; ++set) {
      for (size_t way = 0; way < kWays; ++way) {
        if (places_->tags[set][way] != kNoTag) std::destroy_at(value_at(set, way));
      }
    }
  }

  std::unique_ptr<void, Free> memory_;
  Places* places_ = nullptr;  // in memory_
};

}  // namespace policyd
