// Header fields of mail that goes on: each message is given each of them once, one in a reply.
//
// Postfix prepends one field for each reply that says so, and asks about a message as often as there are recipients and
// restriction lists: so the first field goes out with the first reply that lets a recipient pass, and the next waits
// for the next question, at the latest that of DATA. What has not been asked for by the end of the message is left
// out; the first time that is logged. Bounded: of messages that share a set (recent_table.h) the oldest go first.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "policyd/recent_table.h"

namespace policyd {

struct Verdict;

class HeaderFields {
 public:
  static constexpr size_t kMessages = 8 * 1024;

  using Key = uint64_t;  // of a message: RecentDecisions::message_key_of()
  // The field that this reply about the message carries; empty: none. `fields`: those that it should have, each "Name:
  // value"; of a name that it has been given, or that waits, it is given no other.
  std::string next(Key message, const std::vector<std::string>& fields);
  // The message has ended: nothing that waits can be given any more.
  void end(Key message);

 private:
  static constexpr size_t kWays = 8;
  struct Message {
    std::vector<std::string> names;    // of all fields there were
    std::vector<std::string> waiting;  // whole, in their order
  };
  RecentTable<Message, kMessages / kWays, kWays> messages_;
  bool told_ = false;
};

// "X-Policyd-Score: 7 (ehlo.unqualified=3, sender.unqualified=4)".
std::string score_field(std::string_view name, const Verdict& verdict);

}  // namespace policyd
