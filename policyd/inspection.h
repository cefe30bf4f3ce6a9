// The checks of one request: which are due, what they find, and what follows for its verdict.
//
// Due is what the configuration applies and [[allow]] does not spare. What was found of late for the same client, names
// and sender is used again (recent_observations.h); then nothing has to be waited for. The rest is done side by side
// within the deadline; what is not done by then is an error, neutral and counted. Of an allowed sender domain the check
// that proves it is done first: what the proof makes needless is then never begun. Never fails.
#pragma once

#include <memory>
#include <vector>

#include "policyd/async/task.h"
#include "policyd/check_plan.h"
#include "policyd/checks/check.h"
#include "policyd/dns/resolver.h"
#include "policyd/dnsbl/zones.h"
#include "policyd/report/tally.h"
#include "policyd/store/mirror.h"
#include "policyd/verdict.h"
#include "shared/clock.h"
#include "shared/request.h"

struct uv_loop_s;

namespace policyd {

// What checks are done with; outlives them.
struct InspectionParts {
  Resolver& resolver;
  Zones& zones;
  const Clock& clock;
  uv_loop_s* loop;
  Tally& tally;  // where is counted what is asked live
};

class Inspection {
 public:
  // `request`, `subject` and `plan` outlive it. `live` false: all is looked at afresh, and nothing remembered. Those of
  // `wanted` are done in any case; they go into the verdict only where they are due.
  Inspection(const InspectionParts& parts, const Request& request, const BlockSubject& subject, const CheckPlan& plan,
             bool live, CheckSet wanted = {});
  Inspection(const Inspection&) = delete;
  Inspection& operator=(const Inspection&) = delete;

  // All is known: nothing is left to be asked.
  [[nodiscard]] bool complete() const { return !wants_proof() && missing().none(); }
  // Asks what is left.
  Task<void> ask();

  // Once all is asked. Findings, identity and header fields go into the verdict.
  void conclude(Verdict& verdict) const;
  // Whether one of these has found something.
  [[nodiscard]] bool found(CheckSet which) const;
  // Whether all of these were done, and have found nothing.
  [[nodiscard]] bool clean(CheckSet which) const;
  // The checks that say whether the sender's or the recipient's domain takes mail.
  static CheckSet sender_domain();
  static CheckSet recipient_domain();
  [[nodiscard]] bool wants_greylisting() const { return due_.test(CheckPlan::greylisting()); }

 private:
  void recall();
  Task<void> observe(CheckSet which, Milliseconds limit);
  void take(size_t check, Observation observation);
  void settle_proof();
  // Whether something hangs on a proof that has not been looked for.
  [[nodiscard]] bool wants_proof() const { return spared_by_proof_.any() && !asked_.test(proof()); }
  [[nodiscard]] CheckSet missing() const { return (due_ | wanted_) & checks() & ~asked_; }
  static CheckSet checks();
  static size_t proof();

  const InspectionParts parts_;
  const Request& request_;
  const CheckPlan& plan_;
  const Direction direction_;
  const bool live_;
  const CheckSet wanted_;
  CheckSet due_;
  CheckSet spared_by_proof_;  // of those due
  CheckSet asked_;            // answered, recalled, or too late
  CheckSet recalled_;
  std::vector<ObservationPtr> seen_;  // as in check_table(); null: not asked, or too late
  RecentObservations::Inputs inputs_{};
};

}  // namespace policyd
