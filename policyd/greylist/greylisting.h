// Greylisting in a decision: which mail it is for, what the store is asked, and what follows from the answer.
//
// Pure. Only incoming mail, at RCPT, of a client that can be recognised: not where the DNS does not tell its names, for
// it may be known by one; the null sender only where so configured, for callouts come from it; and, where it is set,
// only from [greylist] min_score on. Who has to wait is told so by DEFER_IF_PERMIT, so that a later restriction of
// Postfix can still reject for good.
#pragma once

#include <optional>
#include <string>

#include "policyd/store/store.h"
#include "policyd/subject.h"
#include "policyd/verdict.h"
#include "shared/config.h"
#include "shared/request.h"

namespace policyd {

struct GreylistKeys {
  std::string client, sender, recipient;
};

// Nothing where the mail is not greylisted. `verdict` is that of the checks, and lets the mail pass.
std::optional<GreylistKeys> greylist_keys(const Request& request, const Subject& subject,
                                          const Config::Greylist& config, const Verdict& verdict);

// `keys` and `request` outlive it.
GreylistAttempt greylist_attempt(const GreylistKeys& keys, const Request& request, const Config::Greylist& config);

// Notes the answer in the verdict, and defers where it says so and it is no dry run.
void apply_greylist(const Config::Greylist& config, const GreylistResult& result, std::string client, Verdict& verdict);

}  // namespace policyd
