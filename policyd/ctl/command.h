// What a subcommand is: a row with its name, its summary and how it declares what it takes.
//
// Help, usage errors and dispatch come from these rows. Each family of commands is one file with
// one table.
#pragma once

#include <functional>
#include <span>
#include <string_view>

#include "policyd/ctl/arguments.h"
#include "policyd/ctl/session.h"

namespace policyd {

// What is done once the arguments have been read; returns the exit code.
using CommandAction = std::function<int(Session&)>;

struct Command {
  std::string_view group;  // "block" for `policyctl block add`; empty for a command of its own
  std::string_view name;
  std::string_view summary;
  // Declares arguments and options, which are read into what the action holds.
  CommandAction (*declare)(Arguments& takes);
};

std::span<const Command> status_commands();
std::span<const Command> block_commands();
std::span<const Command> account_commands();
std::span<const Command> account_lock_commands();
std::span<const Command> account_report_commands();
std::span<const Command> top_commands();
std::span<const Command> check_commands();
std::span<const Command> spf_commands();
std::span<const Command> report_commands();
std::span<const Command> journal_commands();
std::span<const Command> config_commands();

}  // namespace policyd
