// Signs of a hijack that stand on their own, and not in the charge of a recipient (store.h): messages whose score is
// spam, recipients that do not exist, messages that never come to their end or that a limit refuses, and what others
// report.
//
// A recipient counts once for each message. One that does not exist is counted where policyd refuses it for that. Where
// it passes, Postfix may still refuse it, and the store counts what Postfix refused when the message is settled: so it
// is counted at the end of the message, as far as Postfix has not refused so many. What a limit puts off is not counted
// as long as it comes back.
//
// Until Postfix is known to ask at DATA or END-OF-MESSAGE where a message came in (message_ends.h), nothing is known of
// one that does not come there. Where it is known, and for mail of that very account, such a message was never mailed:
// it leaves its sign, and what it was charged is given back. Nothing is known of messages that were forgotten. What is
// counted behind the back of requests locks as what is counted with them. Never fails. One thread.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "policyd/account_policies.h"
#include "policyd/async/task.h"
#include "policyd/locks/warden.h"
#include "policyd/message_ends.h"
#include "policyd/open_transaction.h"
#include "policyd/outgoing.h"
#include "policyd/store/store.h"
#include "policyd/subject.h"
#include "policyd/verdict.h"
#include "shared/request.h"

namespace policyd {

class Signs {
 public:
  // All of it outlives this.
  Signs(Store& store, Warden& warden, Outgoing& outgoing) : store_(store), warden_(warden), outgoing_(outgoing) {}

  // Those of one decision. They are asked for without waiting, in the turn of the loop in which its charge is asked
  // for too, so that the store is asked for all of them at once; what they say goes into the verdict.
  class Counting {
   public:
    // Both outlive it, and so does what its charges refer to.
    Counting(Store& store, Verdict& verdict) : store_(store), verdict_(verdict) {}
    Counting(const Counting&) = delete;
    Counting& operator=(const Counting&) = delete;

    // At most kMost times.
    void ask(const Charge& sign);
    [[nodiscard]] bool waits() const;
    Task<void> answered() const;

    static constexpr size_t kMost = 2;  // of a decision

   private:
    Task<void> count(Charge sign);

    Store& store_;
    Verdict& verdict_;
    std::array<std::optional<Task<void>>, kMost> asked_;
  };

  // The checks of a recipient of outgoing mail are done. `spam`: the score has reached a threshold; `refused`: the
  // recipient is refused for what they found, which stands in `verdict`.
  void found(const Outgoing::Mail& mail, const AccountPolicy& policy, bool spam, bool refused, const Verdict& verdict,
             Counting& counting);
  // A message is being settled, by `charge`, if by any.
  void settling(const Outgoing::Mail& mail, const AccountPolicy& policy, const std::optional<Charge>& charge,
                Counting& counting);

  // Whether the recipient may exist, as far as checks that are acted on have found.
  static bool exists(const Verdict& verdict);
  // A recipient of outgoing mail has passed, `before` it so many others of the message.
  void passed(const Outgoing::Mail& mail, int64_t before, bool exists,
              const std::shared_ptr<const AccountPolicy>& policy, OpenTransaction& transaction) const;
  // policyd refuses a recipient of outgoing mail.
  static void refused(const Request& request, OpenTransaction& transaction);
  // Outgoing mail has come to DATA or END-OF-MESSAGE, whatever its account's settings are by now.
  void settle(const Outgoing::Mail& mail, OpenTransaction& transaction);
  // A limit refuses a message, or a recipient of it: one hit for each message. Counted later.
  void hit(const Outgoing::Mail& mail, const std::shared_ptr<const AccountPolicy>& policy);
  // A message is over; nothing where there is none, or where it came to DATA. Counted later, and what it was charged is
  // given back then.
  void give_up(const OpenTransaction::Abandoned* abandoned);

  // Counts `amount` of `meter`, and locks the account where that is over its limit.
  Task<ChargeResult> count(std::string account, std::shared_ptr<const AccountPolicy> policy, Meter meter,
                           int64_t amount);

 private:
  // The same, and nobody waits for it.
  void count_later(std::string account, std::shared_ptr<const AccountPolicy> policy, Meter meter, int64_t amount);
  Task<void> counted(std::string account, std::shared_ptr<const AccountPolicy> policy, Meter meter, int64_t amount);
  // What a message was charged goes back, but for its different recipients.
  Task<void> given_back(std::string instance, std::string account, std::shared_ptr<const AccountPolicy> policy);
  void later(Task<void> task);

  Store& store_;
  Warden& warden_;
  Outgoing& outgoing_;
  MessageEnds ends_;
  std::vector<Task<void>> later_;  // that nobody waits for
};

}  // namespace policyd
