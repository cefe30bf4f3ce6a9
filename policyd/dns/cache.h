// Answers of the DNS that still hold, bounded in number and in memory.
//
// An entry is found by a keyed hash of its name and type (SipHash), 64 bits and those that choose its chain: the
// name itself is not kept, and nobody outside can make two names look the same. It costs 40 octets and its answer;
// all NXDOMAINs share one answer, and so do all other answers without data, so a million of these cost some 50 MB, a
// million of single addresses some 200 MB. Long answers (a TXT record may have 64 KiB) cannot make it more: all
// answers together have kOctetsEach for each of `most` entries.
//
// When it is full, what was not asked for since the hand passed last goes (CLOCK), and what has run out before that: an
// insertion looks at kLooks entries at most. A long answer that these make no room for is not kept. Whoever inserts
// says until when; what is past that is not found, and dropped where it is met. Pure: takes the time as an argument.
// One thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "policyd/dns/resolver.h"
#include "policyd/dns/siphash.h"
#include "shared/clock.h"

namespace policyd {

class DnsCache {
 public:
  static constexpr size_t kOctetsEach = 256;

  // `most`: entries; 0 keeps nothing.
  explicit DnsCache(size_t most);

  // Null where it is not there, or no longer holds.
  const DnsAnswerPtr* find(const SipDigest& key, SteadyTime now);
  // Replaces what is there.
  void insert(const SipDigest& key, DnsAnswerPtr answer, SteadyTime until, SteadyTime now);

  [[nodiscard]] size_t size() const { return size_; }
  [[nodiscard]] size_t octets() const { return octets_; }  // of answers, as far as they are not shared

 private:
  using Place = uint32_t;
  static constexpr Place kNowhere = ~Place{0};
  static constexpr size_t kBlock = 4096;  // entries that are allocated together: no entry ever moves
  static constexpr int kLooks = 64;       // steps of the hand in search of room

  struct Entry {
    uint64_t tag = 0;
    DnsAnswerPtr answer;  // null: free
    SteadyTime until;
    Place next = kNowhere;     // in its chain, or in the free list
    uint32_t chain : 31 = 0;   // whose it is
    uint32_t asked_for : 1 = 0;  // since the hand passed
  };
  static_assert(sizeof(Entry) == 40);

  Entry& at(Place place) { return blocks_[place / kBlock][place % kBlock]; }
  [[nodiscard]] uint32_t chain_of(const SipDigest& key) const {
    return static_cast<uint32_t>(key.high) & static_cast<uint32_t>(chains_.size() - 1);
  }
  Place find_place(const SipDigest& key);
  Place take_free();
  void drop(Place place);
  void turn_hand(SteadyTime now);
  [[nodiscard]] bool has_room(size_t cost) const { return size_ < most_ && octets_ + cost <= most_ * kOctetsEach; }
  bool make_room(size_t cost, SteadyTime now);

  const size_t most_;
  std::vector<Place> chains_;  // the first of each chain; as many as a power of 2
  std::vector<std::unique_ptr<Entry[]>> blocks_;
  Place used_ = 0;  // entries that were ever taken
  Place free_ = kNowhere;
  Place hand_ = 0;
  size_t size_ = 0;
  size_t octets_ = 0;
};

// The memory an answer has of its own; 0 for those that are shared.
size_t octets_of(const DnsAnswer& answer);

// The one answer of a status that has no data.
const DnsAnswerPtr& empty_answer(DnsStatus status);

}  // namespace policyd
