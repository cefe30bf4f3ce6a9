#include "policyd/spf/spf.h"

#include "policyd/spf/evaluation.h"
#include "policyd/spf/identity.h"
#include "shared/text.h"

namespace policyd {

Task<SpfOutcome> check_spf(Resolver& resolver, SpfQuery query) {
  const SpfIdentity identity(query.sender, query.helo);
  SpfEvaluation evaluation(resolver, query, identity);
  SpfOutcome& outcome = evaluation.outcome;
  outcome.domain = identity.domain();
  outcome.helo = identity.helo();
  if (identity.has_domain()) {
    const auto checking = evaluation.check_host(outcome.domain, false);
    outcome.result = co_await checking;
  } else {
    outcome.problem = quoted(outcome.domain, 100) + " is no domain that can have an SPF record";
  }
  co_return std::move(outcome);
}

}  // namespace policyd
