// The ledger: what every account has been charged, and what each message under way has contributed.
//
// The rules of Charge (store.h) on counters in memory: the embedded store is this and a file, and while Redis is away a
// node enforces its share of the limits with this. The Lua script of the Redis store follows the same rules; the
// contract suite holds the two to each other. One thread, no clock: times are given.
//
// About kMessages messages are remembered (policyd/recent_table.h: the oldest of a set goes first); a message is under
// way in one smtpd process at a time, so that is far more than any site has. One that was forgotten too early is
// charged once more. An account is forgotten when nothing in its windows counts any more.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "policyd/recent_table.h"
#include "policyd/store/sliding_window.h"
#include "policyd/store/store.h"
#include "shared/text.h"

namespace policyd {

class Ledger {
 public:
  static constexpr size_t kMessages = 64 * 1024;

  // Messages and their recipients are told apart by hashes; tests give the seed.
  explicit Ledger(uint64_t seed = random_seed()) : seed_(seed) {}

  // Tests `charge` against `limits` (in place of charge.limits) and counts it where it passes.
  ChargeResult charge(const Charge& charge, const Limits& limits, WallTime now);

  [[nodiscard]] AccountUsage usage(std::string_view account, WallTime now) const;
  [[nodiscard]] Store::AccountPage list(size_t limit, WallTime now) const;
  bool reset(std::string_view account);
  [[nodiscard]] size_t accounts() const { return accounts_.size(); }
  void clear();

  // Looks at some accounts and drops those with nothing left; called often, it comes round to all.
  void sweep(WallTime now);

  // For durability: accounts changed since they were last taken, at most `most` of them, with their cells (empty:
  // forgotten).
  void track_changes() { tracking_ = true; }
  std::vector<std::pair<std::string, Counters::Cells>> take_changes(size_t most);
  void restore(std::string account, Counters counters);

 private:
  struct Account {
    Counters counters;
    bool changed = false;  // stands in changes_
  };
  using Accounts = std::unordered_map<std::string, Account, StringHash, std::equal_to<>>;
  // What a message under way has contributed. Most have one recipient: its hash stands here, those of others aside.
  struct Message {
    Amounts charged{};
    WallTime since{};
    uint64_t first = kNobody;
    std::unique_ptr<std::vector<uint64_t>> others;

    [[nodiscard]] bool has(uint64_t recipient) const;
    void add(uint64_t recipient);
    void forget_recipients();
  };
  static constexpr uint64_t kNobody = 0;

  [[nodiscard]] uint64_t key_of(const Charge& charge) const;        // of the message
  [[nodiscard]] uint64_t recipient_of(const Charge& charge) const;  // kNobody where none is charged
  static Amounts target(const Charge& charge, const Message& message, bool is_new_recipient);
  void commit(Accounts::value_type& entry);

  static constexpr size_t kWays = 8;
  uint64_t seed_;
  Accounts accounts_;
  RecentTable<Message, kMessages / kWays, kWays> messages_;
  bool tracking_ = false;
  std::deque<Accounts::value_type*> changes_;  // of accounts_, which drops none of them before it was taken
  size_t swept_ = 0;  // the hash bucket that sweep() looks at next
};

}  // namespace policyd
