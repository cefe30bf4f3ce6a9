// The outgoing message that a connection of Postfix is asking about: one that never comes to its end is a sign that
// recipients were refused, after policyd had let them pass.
//
// Which of them were refused, Postfix does not say. But it gives a message no queue id until it has accepted a
// recipient (smtpd_delay_open_until_valid_rcpt): those that passed before a request without one were refused for
// certain. Of the others nothing is: clients give up for one mistyped recipient among sixty, or are lost within DATA
// where Postfix asks at its end alone. So they all count as one, which is what a client that tries one recipient after
// the other comes to; and as none where policyd has refused a recipient itself since one passed: for many clients that
// is the end of the message.
//
// One process of Postfix asks on a connection, about one message at a time. When it begins another one, or goes away,
// what is open here is over. DATA may come on another connection of the same process, where it asks with another
// context: whoever is told of a message has to know those that came to DATA. Kept only for accounts whose invalid
// recipients are limited; nothing is allocated for others. Pure.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "policyd/account_policies.h"
#include "policyd/message_ends.h"

namespace policyd {

class OpenTransaction {
 public:
  // A message that is over.
  struct Abandoned {
    std::string instance, account;
    uint64_t key = 0;  // what Outgoing knows it by
    MessageEnds::Service service = 0;
    std::shared_ptr<const AccountPolicy> policy;
    int64_t passed = 0;      // recipients that count
    int64_t refused = 0;     // of them: those that Postfix has refused, as the queue id tells
    bool accepted = false;   // a recipient, by the same
    bool all_exist = true;   // of those that passed since it is known here
    bool explained = false;  // policyd has refused a recipient itself, and the client may have given up for that

    // How many recipients are held to be refused. `queue_ids_tell` false: Postfix gives none (smtpd_proxy_filter).
    [[nodiscard]] int64_t invalid(bool queue_ids_tell) const;
  };

  // What is open is over unless it is `instance`. Null where nothing is; good until the next recipient has passed.
  const Abandoned* begin(std::string_view instance);
  const Abandoned* end() { return begin({}); }
  // The message at a recipient's RCPT.
  struct Message {
    std::string_view instance, account;
    uint64_t key = 0;
    MessageEnds::Service service = 0;
    bool has_queue_id = false;
    bool exists = true;  // the recipient
  };
  // A recipient has been charged, and `before` it so many others.
  void passed(const Message& message, int64_t before, const std::shared_ptr<const AccountPolicy>& policy);
  // A recipient of the message that is open is refused by policyd itself.
  void refused(bool has_queue_id);
  // DATA or END-OF-MESSAGE: Postfix says itself what it accepted.
  void settle() { open_ = false; }

 private:
  void open(const Message& message, const std::shared_ptr<const AccountPolicy>& policy);

  std::unique_ptr<Abandoned> message_;  // the one that was open last, as it would be told now
  bool open_ = false;
};

}  // namespace policyd
