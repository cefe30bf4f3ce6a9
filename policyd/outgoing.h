// Outgoing mail: what the settings of its account say, beside the limits, and what it is charged.
//
// The rules come first: a size or a sender that the account may not have is refused for good, a recipient too many is
// put off, so that the client sends the rest in another message. Then the charge is asked for by the engine, and what
// comes of it is put into the verdict here. Pure but for what is remembered of messages under way (one process of
// Postfix asks for all of a message on one connection, and so of one node); what was forgotten counts from 0. One
// thread.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "policyd/account_policies.h"
#include "policyd/recent_table.h"
#include "policyd/recipient_set.h"
#include "policyd/store/store.h"
#include "policyd/subject.h"
#include "policyd/verdict.h"
#include "shared/config.h"
#include "shared/request.h"

namespace policyd {

class Outgoing {
 public:
  // Says whether the sender's domain was found to take no mail, where sender_must_exist asks for it.
  enum class SenderDomain : uint8_t { takes_mail_or_unknown, takes_none };

  // What messages are known by: 64 bits that stand for an instance and an account.
  using Key = uint64_t;
  // A request, and its message where it is outgoing mail.
  struct Mail {
    const Request& request;
    const Subject& subject;
    Key message;
  };
  [[nodiscard]] Key key_of(const Request& request, const Subject& subject) const;

  // Has what is known of a message on its way to the cache by the time that it is asked for.
  void prefetch(Key message) const { messages_.prefetch(message); }
  // False: a rule of the account refuses, and the verdict says so.
  bool keeps_rules(const Mail& mail, const AccountPolicy& policy, SenderDomain domain, Verdict& verdict) const;
  // What is to be charged; nothing where there are no limits, or nothing that counts.
  // `network` is set to what the charge refers to, and outlives it.
  [[nodiscard]] std::optional<Charge> charge_of(const Mail& mail, const AccountPolicy& policy, const Config& config,
                                                std::string& network) const;
  // A sign alone. What it refers to outlives it.
  static Charge sign_of(std::string_view account, const AccountPolicy& policy, Meter meter, int64_t amount);
  // What a message was charged, which goes back.
  static Charge give_back_of(std::string_view instance, std::string_view account, const AccountPolicy& policy);
  // A message has come to DATA or END-OF-MESSAGE.
  void settle(Key message);
  // One is given up: as take_nonexistent(); nothing where none is known, or it has come there.
  std::optional<int64_t> give_up(Key message);
  // Whether this message's score is to be counted as spam: once for each.
  bool first_spam(const Mail& mail);
  // The same of a limit that refuses it, or recipients of it.
  bool first_hit(const Mail& mail);
  // Whether a recipient that does not exist, and is refused for that, is to be counted: once for each message.
  bool first_refusal(const Mail& mail);
  // How many recipients that do not exist have passed and are not counted yet, beside those that `settling` finds to
  // have been refused by Postfix; from now on they are.
  int64_t take_nonexistent(const Mail& mail, const std::optional<Charge>& settling);
  // Puts the store's answer into the verdict; a sign that another charge of the request has met stays.
  static void take(const ChargeResult& charged, Verdict& verdict);
  // The same of a sign that was counted beside the charge.
  static void take_sign(const ChargeResult& counted, Verdict& verdict);
  // The limits' answer stands in verdict.charge.
  static void apply_limits(const Config& config, const AccountPolicy& policy, Verdict& verdict);

  // A recipient that has passed all. How many others of the message that count have passed before it; nothing where it
  // has passed before itself, does not count, or where nothing is known of messages.
  // `exists` false: it does not exist.
  std::optional<int64_t> passed(const Mail& mail, const AccountPolicy& policy, const Config& config, bool exists);

 private:
  // What of a message under way the store does not know.
  struct Message {
    RecipientSet recipients;  // that passed, where their number matters
    int64_t internal = 0;     // of them: those that do not count
    int64_t nonexistent = 0;  // of the others: those that do not exist and have not been counted
    std::unique_ptr<RecipientSet> refused;  // that do not exist and have been counted, if any
    bool spam = false;        // has been counted
    bool hit = false;         // the same of a limit
    bool settled = false;
    [[nodiscard]] int64_t external() const { return static_cast<int64_t>(recipients.size()) - internal; }
  };
  static constexpr size_t kSets = 1024;

  Message& message(Key key);
  [[nodiscard]] uint64_t recipient_of(const Subject& subject) const;
  [[nodiscard]] bool too_many(const Mail& mail, int64_t most) const;
  static int64_t accepted_of(const Message& message, int64_t count);

  const uint64_t seed_ = random_seed();
  RecentTable<Message, kSets> messages_;
};

// Whether mail to this recipient, in lower case, does not count (traffic.internal_domains).
bool is_internal(const Config& config, std::string_view recipient);

}  // namespace policyd
