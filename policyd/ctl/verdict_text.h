// A verdict as text for people: what was answered, because of what, and every finding. Pure.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "policyd/ctl/json_members.h"
#include "policyd/ctl/table.h"

namespace policyd {

// Of an answer of /v1/check, or an entry of the journal. `width` is the terminal's, 0: none.
std::string verdict_text(const Json& verdict, size_t width);

// Its first part, and what `cause` means: "score" is "the score".
std::vector<Fact> verdict_facts(const Json& verdict);
// The tables that follow: its findings, and where a limit refused it what all of them held.
std::string verdict_tables(const Json& verdict, size_t width);
std::string cause_text(const std::string& cause);
// "phished (mail to 501), since 2026-11-21T10:00:00Z by joe"; empty where there is no lock.
std::string lock_line(const Json& lock);

}  // namespace policyd
