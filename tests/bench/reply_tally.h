// Reads replies of a policy server, counts them by action word, and finds those that Postfix would
// stumble over.
//
// A reply is `action=WORD[ TEXT]\n\n`. Malformed is: another framing, control characters, over 510
// octets of action, a word that is neither a name nor a 4xx or 5xx code, and a word other than
// DUNNO, OK and PERMIT without a text (Postfix would show a stale one).
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>

namespace policyd::bench {

class ReplyTally {
 public:
  // A whole reply, its empty line included.
  void count(std::string_view reply) {
    if (reply == "action=DUNNO\n\n") {
      ++dunno_;
    } else {
      count_other(reply);
    }
  }

  [[nodiscard]] std::map<std::string, uint64_t> words() const;
  [[nodiscard]] uint64_t malformed() const { return malformed_; }
  [[nodiscard]] const std::string& first_malformed() const { return first_malformed_; }  // escaped

 private:
  void count_other(std::string_view reply);

  uint64_t dunno_ = 0;  // apart from the others: the usual case has to be cheap
  std::map<std::string, uint64_t, std::less<>> others_;
  uint64_t malformed_ = 0;
  std::string first_malformed_;
};

}  // namespace policyd::bench
