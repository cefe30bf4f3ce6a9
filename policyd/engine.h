// The engine: from a request to a verdict.
//
// blocks -> locks (outgoing) -> (already decided?) -> allow -> checks -> score -> greylisting (incoming) or the
// account's rules and limits (outgoing: outgoing.h) -> journal. Blocks and locks come from the mirror and are looked at
// afresh every time; a recipient that passed once is not checked or charged again however many restriction lists ask.
// The refusal is soft: only RCPT is refused, so CONNECT, EHLO and MAIL are answered DUNNO; DATA and END-OF-MESSAGE
// settle the charge. But of a locked account nothing goes out: what was under way when the lock came is refused there
// too. Never fails: what cannot be found out is neutral.
#pragma once

#include <array>
#include <memory>
#include <string>
#include <vector>

#include "policyd/account_policies.h"
#include "policyd/async/task.h"
#include "policyd/busy_accounts.h"
#include "policyd/check_plan.h"
#include "policyd/checks/check.h"
#include "policyd/dns/resolver.h"
#include "policyd/dnsbl/zones.h"
#include "policyd/domain_answers.h"
#include "policyd/greylist/greylisting.h"
#include "policyd/header_fields.h"
#include "policyd/inspection.h"
#include "policyd/locks/warden.h"
#include "policyd/notify/event_sink.h"
#include "policyd/open_transaction.h"
#include "policyd/outgoing.h"
#include "policyd/recent_decisions.h"
#include "policyd/report/tally.h"
#include "policyd/signs.h"
#include "policyd/store/mirror.h"
#include "policyd/store/store.h"
#include "policyd/subject.h"
#include "policyd/verdict.h"
#include "shared/clock.h"
#include "shared/config.h"
#include "shared/request.h"

struct uv_loop_s;

namespace policyd {

class Journal;

// Counted since start, for status and metrics.
struct EngineStatistics {
  uint64_t requests = 0;
  std::array<std::array<uint64_t, kActions>, 2> verdicts{};  // by Direction and Action
  std::array<uint64_t, kCauses> causes{};
  struct PerCheck {
    uint64_t hits = 0;    // outcomes found
    uint64_t errors = 0;  // could not be done
  };
  std::vector<PerCheck> checks;  // as in check_table()
};

// What the engine asks; all of it outlives the engine.
struct EngineParts {
  const Mirror& mirror;
  Store& store;
  Resolver& resolver;
  Zones& zones;  // is given every configuration that the engine is given
  const Clock& clock;
  uv_loop_s* loop;
  Warden& warden;               // told of signs of a hijack
  EventSink* events = nullptr;  // who is told of limits that are reached; null: nobody
  Journal* journal = nullptr;   // none: refusals have no ids
};

class Engine {
 public:
  Engine(std::shared_ptr<const Config> config, const EngineParts& parts);

  // For a request from Postfix. `request` outlives the task.
  // `transaction`: the message that the connection it came on has open; outlives the task.
  Task<Verdict> decide(const Request& request, OpenTransaction* transaction = nullptr);
  // Postfix has ended the connection.
  void end(OpenTransaction& transaction);
  // The same for `policyctl check`: every finding, and nothing is counted, charged or remembered.
  Task<Verdict> explain(const Request& request);

  // A sign of a hijack that others have seen, of an account that mail is charged to (charged_account()): counts
  // `amount` of `meter`, and locks the account where that is over its limit. Nothing where it has no such limit.
  Task<std::optional<ChargeResult>> report_sign(std::string account, Meter meter, int64_t amount);

  // Takes a new configuration; requests under way end with the old one.
  void reconfigure(std::shared_ptr<const Config> config);
  [[nodiscard]] const Config& config() const { return *plan_->config; }
  [[nodiscard]] const EngineStatistics& statistics() const { return statistics_; }
  // What has been counted for reports, to be drained.
  [[nodiscard]] Tally& tally() { return tally_; }

  // The settings in force for an account, each key from the nearest place that sets it.
  [[nodiscard]] std::shared_ptr<const AccountPolicy> policy(std::string_view account) { return policies_.of(account); }
  [[nodiscard]] const AccountPolicies& policies() const { return policies_; }
  [[nodiscard]] const Zones& zones() const { return zones_; }
  [[nodiscard]] const BusyAccounts& busy_accounts() const { return busy_; }

 private:
  enum class Mode : uint8_t { live, dry };
  // A request, and what is known of it before it is judged.
  struct Asked {
    const Outgoing::Mail& mail;
    Mode mode;
    const CheckPlan& plan;
    const std::shared_ptr<const AccountPolicy>& policy;  // of outgoing mail
    OpenTransaction* transaction;
    const std::optional<RecentDecisions::Key>& key;  // of a recipient that is judged for real
  };
  Task<Verdict> evaluate(const Request& request, Mode mode, OpenTransaction* transaction);
  bool begin(ProtocolState state, const Subject& subject, const Config& config,
             const std::optional<RecentDecisions::Key>& key, Verdict& verdict) const;
  [[nodiscard]] const Lock* lock_of(const Subject& subject) const;
  Outgoing::SenderDomain conclude(const Asked& asked, const Inspection& inspection, Signs::Counting& counting,
                                  Verdict& verdict);
  Task<void> greylist(const Request& request, const GreylistKeys& keys, const Config::Greylist& config, Mode mode,
                      Verdict& verdict);
  std::optional<Charge> charge_of(const Asked& asked, bool going_on, const Verdict& verdict, Signs::Counting& counting,
                                  std::string& network);
  bool take_charge(const Asked& asked, bool going_on, Verdict& verdict);
  void pass(const Asked& asked, const Verdict& verdict);
  void end(const Asked& asked, bool going_on, Verdict& verdict);
  void prepend(const Request& request, const Config& config, Verdict& verdict);
  void write_journal(const Request& request, Verdict& verdict);
  void count(const Verdict& verdict);
  void tell_limit(const Verdict& verdict) const;

  std::shared_ptr<const CheckPlan> plan_;
  const Mirror& mirror_;
  Store& store_;
  Resolver& resolver_;
  Zones& zones_;
  const Clock& clock_;
  uv_loop_s* loop_;
  Warden& warden_;
  Journal* journal_;
  RecentDecisions recent_;
  HeaderFields headers_;
  AccountPolicies policies_;
  Outgoing outgoing_;
  Signs signs_;
  DomainAnswers domain_answers_;
  EngineStatistics statistics_;
  Tally tally_;
  BusyAccounts busy_;
  EventSink* events_;
};

}  // namespace policyd
