// The greylist in memory: the rules of GreylistAttempt (store.h). The Lua script of the Redis store follows the same
// ones; the contract suite holds the two to each other. One thread, no clock: times are given.
//
// Three kinds of records: who waits, who has passed, and how often a client did. Each kind is kept in the order of its
// times, so that what runs out stands at the front, and is bounded: where there are too many the oldest go. Who was
// forgotten too early waits once more. A record takes about 250 octets, all of them at most 160 MB.
#pragma once

#include <array>
#include <cstdint>
#include <list>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "policyd/store/store.h"
#include "shared/clock.h"

namespace policyd {

struct GreylistRecord {
  enum class Kind : uint8_t { waiting, passed, client };
  static constexpr size_t kKinds = 3;

  std::string key;  // "CLIENT SENDER>RECIPIENT", or "CLIENT"
  Kind kind = Kind::waiting;
  WallTime at{};         // of the first attempt; of the last that went through; of the last that counted
  WallTime until{};      // it is forgotten after that
  uint64_t message = 0;  // waiting: that asked last; client: that counted last; 0: unknown
  int64_t count = 0;     // client: messages that passed
  bool operator==(const GreylistRecord&) const = default;
};

class GreylistTable {
 public:
  // By kind.
  using Bounds = std::array<size_t, GreylistRecord::kKinds>;
  static constexpr Bounds kBounds{200'000, 400'000, 50'000};

  explicit GreylistTable(const Bounds& bounds = kBounds) : bounds_(bounds) {}
  GreylistTable(const GreylistTable&) = delete;
  GreylistTable& operator=(const GreylistTable&) = delete;

  GreylistResult attempt(const GreylistAttempt& attempt, WallTime now);
  // Forgets what has run out; some records each time.
  void sweep(WallTime now);
  [[nodiscard]] size_t size() const { return index_.size(); }

  // For durability: records changed since they were last taken, at most `most` of them.
  void track_changes() { tracking_ = true; }
  std::vector<GreylistRecord> take_changes(size_t most);
  // In the order of their times.
  void restore(GreylistRecord record);

 private:
  static constexpr size_t kUnchanged = SIZE_MAX;
  struct Entry : GreylistRecord {
    size_t change = kUnchanged;  // its place in changes_
  };
  using Entries = std::list<Entry>;

  Entry* find(std::string_view key, WallTime now);
  Entry& entry(const std::string& key, GreylistRecord::Kind kind);
  void keep(Entry& entry, WallTime at, WallTime until, bool durable = true);
  void count_pass(const std::string& client, uint64_t message, Milliseconds record, WallTime now);
  void forget(Entries& of, Entries::iterator entry);
  void take_back(Entry& entry);
  Entries& entries_of(GreylistRecord::Kind kind) { return entries_[static_cast<size_t>(kind)]; }

  const Bounds bounds_;
  std::array<Entries, GreylistRecord::kKinds> entries_;            // each by time, the oldest first
  std::unordered_map<std::string_view, Entries::iterator> index_;  // by key, which the entry holds
  bool tracking_ = false;
  std::vector<Entry*> changes_;  // of entries_, so that there are never more of them
};

}  // namespace policyd
