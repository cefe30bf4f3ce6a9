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

#include <array>
#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "policyd/recent_table.h"
#include "policyd/store/seen_elements.h"
#include "policyd/store/sliding_window.h"
#include "policyd/store/store.h"
#include "shared/text.h"

namespace policyd {

class Ledger {
 public:
  static constexpr size_t kMessages = 64 * 1024;

  // Messages and their recipients are told apart by hashes; tests give the seed.
  explicit Ledger(uint64_t seed = random_seed()) : seed_(seed) {}

  // Tests `charge` against `limits` and `signs` (in place of the charge's own) and counts it where it passes.
  ChargeResult charge(const Charge& charge, const Limits& limits, WallTime now, const Limits* signs = nullptr) {
    const uint64_t key = key_of(charge);
    messages_.prefetch(key);
    ChargeResult result = signs && !signs->empty() ? charge_signs(charge, key, limits, *signs, now)
                                                   : charge_mail(charge, key, limits, now);
    if (!result.passed) result.uses = uses(charge.account, limits, signs, now);
    return result;
  }

  [[nodiscard]] AccountUsage usage(std::string_view account, WallTime now) const;
  [[nodiscard]] Store::AccountPage list(size_t limit, WallTime now) const;
  bool reset(std::string_view account);
  // The account's signs are counted anew.
  void forget_signs(std::string_view account);
  [[nodiscard]] size_t accounts() const { return accounts_.size(); }
  void clear();

  // Looks at some accounts and drops those with nothing left; called often, it comes round to all.
  void sweep(WallTime now);

  // For durability: accounts changed since they were last taken, at most `most` of them, with their cells (empty:
  // forgotten).
  void track_changes() { tracking_ = true; }
  std::vector<std::pair<std::string, Counters::Cells>> take_changes(size_t most);
  void restore(std::string account, Counters counters);
  // The same of the elements that accounts were seen with, as octets.
  std::vector<std::pair<std::string, std::string>> take_seen(size_t most, WallTime now);
  void restore(std::string account, SeenElements seen);

 private:
  static constexpr Milliseconds kLongest = std::chrono::hours(366 * 24);
  struct Account {
    Counters counters;
    std::unique_ptr<SeenElements> seen;  // none where no elements are counted
    Milliseconds longest = kLongest;     // of the windows in which they are, as far as is known
    bool changed = false;                // stands in changes_
    bool seen_changed = false;           // its name stands in seen_changes_
  };
  using Accounts = std::unordered_map<std::string, Account, StringHash, std::equal_to<>>;
  static constexpr uint64_t kNobody = 0;
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
  // What a charge means for the counters of mail: tested, not counted yet.
  struct Mail {
    ChargeResult result;
    uint64_t key = 0;            // of its message
    Message* known = nullptr;    // none: a new one
    uint64_t recipient = kNobody;
    bool is_new = false;         // the recipient, to its message
    bool counts = false;         // else there is nothing to count
    Amounts amounts{};
  };
  // An element of a charge, and when it was seen before.
  struct Element {
    Meter meter;
    uint64_t hash;
    std::optional<WallTime> before;
  };
  // At most its recipient and its network.
  class Elements {
   public:
    void add(const Element& element) { all_[size_++] = element; }
    void clear() { size_ = 0; }
    [[nodiscard]] Element* begin() { return all_.data(); }
    [[nodiscard]] Element* end() { return begin() + size_; }
    [[nodiscard]] const Element* begin() const { return all_.data(); }
    [[nodiscard]] const Element* end() const { return begin() + size_; }

   private:
    std::array<Element, 2> all_;
    size_t size_ = 0;
  };

  [[nodiscard]] std::vector<LimitUse> uses(std::string_view account, const Limits& limits, const Limits* signs,
                                           WallTime now) const;
  [[nodiscard]] uint64_t key_of(const Charge& charge) const;        // of the message, 0 where it has none
  [[nodiscard]] uint64_t recipient_of(const Charge& charge) const;  // kNobody where none is charged
  ChargeResult charge_mail(const Charge& charge, uint64_t key, const Limits& limits, WallTime now);
  Mail test_mail(const Charge& charge, uint64_t key, const Limits& limits, WallTime now, uint64_t recipient,
                 const Counters& counters);
  void count_mail(const Charge& charge, const Mail& mail, const Limits& limits, WallTime now,
                  Accounts::value_type& entry);
  // ledger_signs.cpp
  ChargeResult charge_signs(const Charge& charge, uint64_t key, const Limits& limits, const Limits& signs,
                            WallTime now);
  ChargeResult count_signs(Accounts::value_type& entry, const Charge& charge, uint64_t key, const Limits& limits,
                           const Limits& signs, WallTime now);
  [[nodiscard]] static Elements elements_of(const Charge& charge, const Limits& signs, Account& account);
  static void look_up(Elements& elements, const Account& account);
  static ChargeResult test(const Elements& elements, const Limits& signs, const Account& account, WallTime now);
  void count(const Elements& elements, const Limits& signs, Accounts::value_type& entry, WallTime now);
  void count(Meter meter, int64_t amount, const Limits& signs, Accounts::value_type& entry, WallTime now);
  void note_seen(Accounts::value_type& entry);
  void forget_seen(Accounts::value_type& entry);
  static int64_t useless_before(WallTime now, Milliseconds longest);
  static Amounts target(const Charge& charge, const Message& message, bool is_new_recipient);
  void commit(Accounts::value_type& entry);

  static constexpr size_t kWays = 8;
  uint64_t seed_;
  Accounts accounts_;
  RecentTable<Message, kMessages / kWays, kWays> messages_;
  bool tracking_ = false;
  std::deque<std::string> seen_changes_;
  std::deque<Accounts::value_type*> changes_;  // of accounts_, which drops none of them before it was taken
  size_t swept_ = 0;  // the hash bucket that sweep() looks at next
};

}  // namespace policyd
