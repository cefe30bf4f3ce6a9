// Locks as people read them.
#pragma once

#include <string>

#include "policyd/ctl/json_members.h"

namespace policyd {

// "in 52m, 2026-11-21T11:00:00Z", or "when it is lifted".
std::string lock_end(const Json& lock);
// Of `account show`: the lock in force, and what happened to locks before; empty where there is nothing.
std::string lock_with_end(const Json& lock);
std::string render_lock_history(const Json& events);
// Of `account list --locked`.
std::string render_locks(const Json& answer);

}  // namespace policyd
