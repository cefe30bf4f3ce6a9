// The ledger: what every account has been charged, and what each message under way has contributed.
//
// The rules of Charge (store.h) on counters in memory: the embedded store is this and a file, and while Redis is away a node
// enforces its share of the limits with this. The Lua script of the Redis store follows the same rules; the contract suite
// holds the two to each other. One thread, no clock: times are given.
//
// Messages are remembered in the order of their first charge, kMessages at most: a message is under way in one smtpd process
// at a time, so far more than any site has. An account is forgotten when nothing in its windows counts any more.
#pragma once

#include <cstdint>
#include <deque>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "policyd/store/sliding_window.h"
#include "policyd/store/store.h"
#include "shared/text.h"

namespace policyd {

class Ledger {
 public:
  static constexpr size_t kMessages = 64 * 1024;

  // Tests `charge` against `limits` (in place of charge.limits) and counts it where it passes.
  ChargeResult charge(const Charge& charge, const Limits& limits, WallTime now);

  [[nodiscard]] AccountUsage usage(std::string_view account, WallTime now) const;
  [[nodiscard]] Store::AccountPage list(size_t limit, WallTime now) const;
  bool reset(std::string_view account);
  [[nodiscard]] size_t accounts() const { return accounts_.size(); }
  void clear();

  // Looks at some accounts and drops those with nothing left; called often, it comes round to all.
  void sweep(WallTime now);

  // For durability: accounts changed since they were last taken, at most `most` of them, with their cells (empty: forgotten).
  void track_changes() { tracking_ = true; }
  std::vector<std::pair<std::string, Counters::Cells>> take_changes(size_t most);
  void restore(std::string account, Counters counters);

 private:
  struct Account {
    Counters counters;
    bool changed = false;  // stands in changes_
  };
  using Accounts = std::unordered_map<std::string, Account, StringHash, std::equal_to<>>;
  struct MessageKey {
    uint64_t a = 0, b = 0;
    bool operator==(const MessageKey&) const = default;
  };
  struct MessageKeyHash {
    size_t operator()(const MessageKey& key) const { return key.a; }
  };
  struct Message {
    Amounts charged{};
    WallTime since{};
    std::vector<uint64_t> recipients;
  };

  static MessageKey key_of(const Charge& charge);
  static Amounts target(const Charge& charge, const Message& message, bool is_new_recipient);
  void commit(Accounts::value_type& entry);
  Message& remember(const MessageKey& key);

  Accounts accounts_;
  std::unordered_map<MessageKey, Message, MessageKeyHash> messages_;
  std::deque<MessageKey> order_;  // of messages_, oldest first
  bool tracking_ = false;
  std::deque<Accounts::value_type*> changes_;  // of accounts_, which drops none of them before it was taken
  size_t swept_ = 0;  // the hash bucket that sweep() looks at next
};

}  // namespace policyd
