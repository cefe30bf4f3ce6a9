// Signs of a hijack that stand on their own, and not in the charge of a recipient (store.h): messages that never come
// to their end, and what others report.
//
// Whether Postfix asks at DATA or END-OF-MESSAGE at all, and whether its messages have queue ids then, is learned from
// what it asks: until it has, nothing is known of a message that does not come there. What is counted behind the back
// of requests locks as what is counted with them. Never fails. One thread.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "policyd/account_policies.h"
#include "policyd/async/task.h"
#include "policyd/locks/warden.h"
#include "policyd/open_transaction.h"
#include "policyd/outgoing.h"
#include "policyd/store/store.h"
#include "policyd/subject.h"
#include "shared/request.h"

namespace policyd {

class Signs {
 public:
  // All of it outlives this.
  Signs(Store& store, Warden& warden, Outgoing& outgoing) : store_(store), warden_(warden), outgoing_(outgoing) {}

  // A recipient of outgoing mail has passed, `before` it so many others of the message.
  static void passed(const Request& request, const Subject& subject, int64_t before,
                     const std::shared_ptr<const AccountPolicy>& policy, OpenTransaction& transaction);
  // Outgoing mail has come to DATA or END-OF-MESSAGE, whatever its account's settings are by now.
  void settle(const Request& request, const Subject& subject, OpenTransaction& transaction);
  // A message is over; nothing where there is none, or where it came to DATA. Counted later.
  void give_up(std::optional<OpenTransaction::Abandoned> abandoned);

  // Counts `amount` of `meter`, and locks the account where that is over its limit.
  Task<ChargeResult> count(std::string account, std::shared_ptr<const AccountPolicy> policy, Meter meter,
                           int64_t amount);

 private:
  Task<void> count_abandoned(OpenTransaction::Abandoned abandoned, int64_t amount);

  Store& store_;
  Warden& warden_;
  Outgoing& outgoing_;
  bool settles_ = false;              // Postfix asks at DATA or END-OF-MESSAGE
  bool queue_ids_tell_ = true;        // and has always had queue ids there
  std::vector<Task<void>> counting_;  // of messages that are over
};

}  // namespace policyd
