// Recipients that passed, remembered for a while, so that the other restriction lists of the same RCPT are answered
// without checking and charging again.
//
// Only what passed is remembered: a refusal ends the RCPT in Postfix, and a client that tries once more deserves a
// fresh look. The key is a hash of everything that a verdict depends on, so a request that differs in anything of it is
// a stranger; its seed is this process's secret, as clients choose most of what is hashed and a collision would spare
// them the checks. Bounded: of those whose keys share a set (recent_table.h) the oldest go first.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "policyd/recent_table.h"
#include "policyd/verdict.h"
#include "shared/request.h"

namespace policyd {

class RecentDecisions {
 public:
  static constexpr size_t kEntries = 16 * 1024;

  // Tests give the seed, and so know what shares a set.
  explicit RecentDecisions(uint64_t seed = random_seed()) : seed_(seed) {}

  using Key = uint64_t;
  // Nothing where the request has no instance and so cannot be recognised again.
  [[nodiscard]] std::optional<Key> key_of(const Request& request) const;          // one recipient of one message
  [[nodiscard]] std::optional<Key> message_key_of(const Request& request) const;  // the message

  // To be called some work before find() or remember().
  void prefetch(Key key) const { decisions_.prefetch(key); }

  struct Decision {
    Action action = Action::dunno;
    int score = 0;
    std::unique_ptr<const std::string> held;  // the text of HOLD; what passed without has none
    [[nodiscard]] std::string_view text() const { return held ? std::string_view(*held) : std::string_view(); }
  };
  // Null for a stranger. Good until the next call that is not const.
  [[nodiscard]] const Decision* find(Key key) const { return decisions_.find(key); }
  // The first decision stays.
  void remember(Key key, Action action, std::string_view text, int score);
  void clear() { decisions_.clear(); }

 private:
  static constexpr size_t kWays = 8;
  uint64_t seed_;
  RecentTable<Decision, kEntries / kWays, kWays> decisions_;
};

}  // namespace policyd
