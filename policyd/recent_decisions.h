// Recipients that passed, remembered for a while, so that the other restriction lists of the same RCPT are answered
// without checking and charging again; and messages that were given the score header.
//
// Only what passed is remembered: a refusal ends the RCPT in Postfix, and a client that tries once more deserves a fresh look. The key covers
// everything that a verdict depends on, so a request that differs in anything of it is a stranger. Bounded: the oldest go first.
#pragma once

#include <cstdint>
#include <deque>
#include <string_view>
#include <unordered_map>

#include "policyd/verdict.h"
#include "shared/request.h"

namespace policyd {

class RecentDecisions {
 public:
  static constexpr size_t kEntries = 16 * 1024;

  struct Key {
    uint64_t a = 0, b = 0;
    bool operator==(const Key&) const = default;
  };
  // Nothing where the request has no instance and so cannot be recognised again.
  static std::optional<Key> key_of(const Request& request);          // one recipient of one message
  static std::optional<Key> message_key_of(const Request& request);  // the message

  struct Decision {
    Action action = Action::dunno;
    std::string text;
    int score = 0;
  };
  [[nodiscard]] const Decision* find(const Key& key) const;
  void remember(const Key& key, Decision decision);
  // True for the first time that it is asked for this message.
  bool first_time(const Key& message);
  void clear();

 private:
  struct KeyHash {
    size_t operator()(const Key& key) const { return key.a; }
  };
  std::unordered_map<Key, Decision, KeyHash> decisions_;
  std::deque<Key> order_;
};

}  // namespace policyd
