// This node's share of every limit, for the time in which the shared store is away; and a journal of what was let
// through, to be merged when it is back.
//
// With n nodes last seen, each lets through N/n (rounded down, but at least 1 of what is not 0), so all together stay
// near N. The journal is bounded; past kJournal its oldest entries are lost for the merge, and counted. What was
// counted here ages by itself after the store's return: a store that comes and goes must not grant a fresh share each
// time.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "policyd/store/ledger.h"
#include "policyd/store/store.h"

namespace policyd {

class LocalShare {
 public:
  static constexpr size_t kJournal = 500'000;

  // A charge that passed, with all that it takes to count it again elsewhere. What was refused at the end of a message
  // stands here as give_back.
  struct Entry {
    Charge::Kind kind;
    bool ended;
    std::string account, instance, recipient;
    std::string network;
    int64_t recipients, bytes;
    Meter meter;
    int64_t amount;
    std::shared_ptr<const Limits> limits, signs;  // signs: may be null
    WallTime at;
    std::optional<WallTime> sent;  // when the shared store may have counted it, or what else was charged of its message
    [[nodiscard]] Charge charge() const;  // views into this entry
  };

  // `sent`: as in Entry.
  ChargeResult charge(const Charge& charge, size_t nodes, WallTime now, std::optional<WallTime> sent = std::nullopt);
  // The same, for what the shared store will never be able to count.
  ChargeResult charge_unmerged(const Charge& charge, size_t nodes, WallTime now);

  [[nodiscard]] size_t pending() const { return journal_.size(); }
  [[nodiscard]] uint64_t dropped() const { return dropped_; }
  std::vector<Entry> take(size_t most);       // the oldest
  void put_back(std::vector<Entry> entries);  // those that could not be merged, to the front
  void sweep(WallTime now) { ledger_.sweep(now); }
  void forget_signs(std::string_view account) { ledger_.forget_signs(account); }

 private:
  void tell_whole_sign(const Charge& charge, WallTime now, ChargeResult& result) const;
  void record(const Charge& charge, Charge::Kind kind, WallTime now, std::optional<WallTime> sent);

  Ledger ledger_;
  std::deque<Entry> journal_;
  std::shared_ptr<const Limits> last_limits_, last_signs_;  // most entries share theirs
  uint64_t dropped_ = 0;
};

}  // namespace policyd
