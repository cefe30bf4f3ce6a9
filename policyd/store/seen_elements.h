// The different elements that an account was seen with, recipients and client networks, each with the time of the last
// time: which of them are new in a window is what makes a count of different ones exact.
//
// An open-addressed table of 16 octets an entry, at most three quarters and, unless it has just grown, at least three
// eighths full: 22 to 43 octets an element. Elements are keyed hashes, so that nobody can choose two that look alike;
// the key is the account's own and is saved with it. Pure: times are given, in ms since 1970. One thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "policyd/dns/siphash.h"
#include "shared/limits.h"

namespace policyd {

class SeenElements {
 public:
  SeenElements();  // a fresh key
  explicit SeenElements(const SipKey& key) : key_(key) {}

  // 64 bits that stand for an element of `meter`; never 0, the lowest bit always 0.
  [[nodiscard]] uint64_t hash(Meter meter, std::string_view element) const;

  // To be called some work before find() or put().
  void prefetch(uint64_t hash) const {
    if (!entries_.empty()) __builtin_prefetch(&entries_[home(hash)]);
  }
  [[nodiscard]] std::optional<int64_t> find(uint64_t hash) const;
  // A full table first drops what was last seen before `useless`.
  void put(uint64_t hash, int64_t at, int64_t useless);
  [[nodiscard]] size_t size() const { return size_; }
  [[nodiscard]] size_t octets() const { return entries_.capacity() * sizeof(Entry); }

  // All of it, those last seen before `useless` left out; nothing where the octets are damaged.
  [[nodiscard]] std::string to_octets(int64_t useless) const;
  static std::optional<SeenElements> from_octets(std::string_view octets);

 private:
  struct Entry {
    uint64_t hash = 0;  // 0: free
    int64_t at = 0;
  };
  [[nodiscard]] size_t home(uint64_t hash) const { return (hash >> 1) & (entries_.size() - 1); }
  [[nodiscard]] size_t place_of(uint64_t hash) const;  // where it stands, or would stand
  void resize(int64_t useless);

  SipKey key_;
  std::vector<Entry> entries_;  // a power of two of them
  size_t size_ = 0;
};

}  // namespace policyd
