// policyctl block export and import: blocks as JSON, one a line.
//
// What export prints import takes, with the same result however often. A line that cannot be used
// is reported with its number and costs only itself; a block that has run out meanwhile is left out
// and counted.
#pragma once

#include "policyd/ctl/command.h"

namespace policyd {

CommandAction declare_export(Arguments& takes);
CommandAction declare_import(Arguments& takes);

}  // namespace policyd
