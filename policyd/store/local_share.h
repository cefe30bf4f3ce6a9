// This node's share of every limit, for the time in which the shared store is away; and a journal of what was let through, to be
// merged when it is back.
//
// With n nodes last seen, each lets through N/n (rounded down, but at least 1 of what is not 0), so all together stay near N. The journal is
// bounded; past kJournal its oldest entries are lost for the merge, and counted.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <vector>

#include "policyd/store/ledger.h"
#include "policyd/store/store.h"

namespace policyd {

class LocalShare {
 public:
  static constexpr size_t kJournal = 500'000;

  // A charge that passed, with all that it takes to count it again elsewhere.
  struct Entry {
    Charge::Kind kind;
    bool ended;
    std::string account, instance, recipient;
    int64_t recipients, bytes;
    std::shared_ptr<const Limits> limits;
    WallTime at;
    [[nodiscard]] Charge charge() const;  // views into this entry
  };

  ChargeResult charge(const Charge& charge, size_t nodes, WallTime now);

  [[nodiscard]] size_t pending() const { return journal_.size(); }
  [[nodiscard]] uint64_t dropped() const { return dropped_; }
  std::vector<Entry> take(size_t most);       // the oldest
  void put_back(std::vector<Entry> entries);  // those that could not be merged, to the front
  // The store is back and knows all: what was counted here counts no more.
  void forget();
  void sweep(WallTime now) { ledger_.sweep(now); }

 private:
  void record(const Charge& charge, WallTime now);

  Ledger ledger_;
  std::deque<Entry> journal_;
  std::shared_ptr<const Limits> last_limits_;  // most entries share theirs
  uint64_t dropped_ = 0;
};

}  // namespace policyd
