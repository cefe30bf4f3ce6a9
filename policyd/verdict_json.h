// A verdict as JSON: the action and its text, every finding, and what stands behind it. What `policyctl check` and
// the journal show.
#pragma once

#include "policyd/admin/json.h"
#include "policyd/verdict.h"

namespace policyd {

// {"action", "text", "direction", "score", "findings": [{"check", "score", "outcome", "detail", "counted"}], "cause",
// "if_permit", "code", "account", "limit", "retry_after", "sign", "sign_used", "limits", "rule", "greylist", "lock",
// "block"}; null where there is none. "limits" are those of the account where one of them refused, with what each held
// (limit_json.h). Octets of requests stand in it as they are.
Json verdict_json(const Verdict& verdict);

}  // namespace policyd
