// The log of what people change through the admin API: one info line for each change that is done.
#pragma once

#include <string>

namespace policyd {

// "block=... by=...": names and values of strangers are quoted by the caller.
void log_change(const std::string& what);

}  // namespace policyd
