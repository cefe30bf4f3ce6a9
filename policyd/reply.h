// From a verdict to what Postfix reads, and to what the operator reads in the log. Pure.
#pragma once

#include <string>

#include "policyd/verdict.h"
#include "shared/request.h"

namespace policyd {

// The whole reply, "action=...\n\n" (access(5), SMTPD_POLICY_README): always with a text where Postfix needs one.
std::string reply_to(const Verdict& verdict);

// One line, all request text quoted: what was decided, about whom, and everything that added to it.
void append_log_line(std::string& out, const Request& request, const Verdict& verdict);

}  // namespace policyd
