// Entries of the journal as text for people: one as a whole, one on a line, and what was held as a table. Pure.
#pragma once

#include <cstddef>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "policyd/ctl/json_members.h"

namespace policyd {

// All of an entry; `width` is the terminal's, 0: none.
std::string entry_text(const Json& entry, size_t width);

// "2026-11-21T10:00:00.123Z 7K2M-9QXW-1T5P mx1 REJECT score 192.0.2.7 <ann@example.org> <bob@example.com> ...", with a
// line end.
std::string entry_line(const Json& entry);

// Messages that were held, in the order of their times, from the entries and lines of /v1/journal?held=yes.
class HeldMessages {
 public:
  void add(const Json& entry);
  // {"held": [{"queue_id", "time", "node", "account", "sender", "recipients": [...], "reasons": [...], "ids": [...]}]}
  [[nodiscard]] Json to_json() const;

 private:
  using Key = std::pair<std::string, std::string>;  // node and instance; without an instance node and id
  struct Message {
    std::string time, queue_id, sender, account;
    std::vector<std::string> ids, recipients, reasons;
  };
  std::map<Key, Message> messages_;
  std::vector<Key> order_;
  std::map<Key, std::string> queue_ids_;  // that were told of messages whose entry has not come
};
std::string held_text(const Json& held, size_t width);

}  // namespace policyd
