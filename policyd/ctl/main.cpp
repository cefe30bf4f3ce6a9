// policyctl: the operator's tool; see policyctl(1).
//
// It knows the admin API and nothing else of policyd. Exit codes: 0 done, 1 refused or not found, 2
// usage, 69 policyd cannot be reached.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <array>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <sstream>
#include <string>
#include <vector>

#include "policyd/ctl/command.h"
#include "shared/config_tree.h"
#include "shared/text.h"

namespace policyd {
namespace {

struct Group {
  std::string_view name;
  std::string_view summary;
};
constexpr std::array kGroups = {
    Group{"block", "blocks: who may not send (or receive) until lifted"},
    Group{"account", "accounts: usage against limits, settings, and locks"},
    Group{"report", "what was done over some days, on all nodes"},
    Group{"config", "the configuration"},
};

// In reverse, as CLI11 takes them. "--option=" is given an empty value of its own: CLI11 would take the next argument.
std::vector<std::string> arguments_of(int argc, char** argv) {
  std::vector<std::string> arguments;
  bool options = true;
  for (int i = 1; i < argc; ++i) {
    const std::string_view argument = argv[i];
    options = options && argument != "--";
    const bool empty = options && argument.starts_with("--") && argument.find('=') == argument.size() - 1;
    arguments.emplace_back(argument.substr(0, argument.size() - (empty ? 1 : 0)));
    if (empty) arguments.emplace_back();
  }
  std::reverse(arguments.begin(), arguments.end());
  return arguments;
}

// The command line's grammar, and what each command does.
class CommandLine {
 public:
  CommandLine() : app_("looks at and manages policyd", "policyctl") {
    app_.set_version_flag("--version", "policyctl " POLICYD_VERSION);
    app_.add_option("-c,--config", options_.config,
                    "policyd's configuration, which names its admin socket")
        ->capture_default_str();
    app_.add_option("--socket", options_.socket,
                    "the admin socket, in place of the one that the configuration names")
        ->envname("POLICYCTL_SOCKET");
    app_.add_flag("--json", options_.json, "print JSON, for programs");
    app_.require_subcommand(1);
    for (const auto commands : {status_commands(), block_commands(), account_commands(), account_lock_commands(),
                                account_report_commands(), top_commands(), check_commands(), spf_commands(),
                                report_commands(), journal_commands(), config_commands()}) {
      for (const Command& command : commands) add(command);
    }
  }

  int run(int argc, char** argv) {
    try {
      app_.parse(arguments_of(argc, argv));
    } catch (const CLI::ParseError& error) {
      return end(error);
    }
    options_.config_given = app_.count("--config") > 0;
    Session session(options_);
    for (const auto& [command, action] : actions_) {
      if (command->parsed()) return action(session);
    }
    return kUsage;
  }

 private:
  void add(const Command& command) {
    CLI::App* parent = command.group.empty() ? &app_ : group(command.group);
    CLI::App* added =
        parent->add_subcommand(std::string(command.name), std::string(command.summary));
    added->fallthrough();
    Arguments takes(*added);
    actions_.emplace_back(added, command.declare(takes));
  }

  CLI::App* group(std::string_view name) {
    if (const auto known = groups_.find(name); known != groups_.end()) return known->second;
    for (const Group& one : kGroups) {
      if (one.name != name) continue;
      CLI::App* added = app_.add_subcommand(std::string(name), std::string(one.summary));
      added->require_subcommand(1)->fallthrough();
      return groups_.emplace(name, added).first->second;
    }
    std::abort();  // a command of a group that is not in the table
  }

  // Help and version end here too.
  int end(const CLI::ParseError& error) {
    const Session session(options_);
    if (error.get_exit_code() == 0) {
      std::ostringstream text;
      app_.exit(error, text, text);
      return session.print(text.str());
    }
    return session.fail(kUsage, what_is_wrong(error) +
                                    "; `policyctl --help` lists the commands, and with a command "
                                    "what it takes");
  }

  std::string what_is_wrong(const CLI::ParseError& error) const {
    const auto rest = app_.remaining(true);
    if (error.get_name() == "RequiredError" && !rest.empty() && !chosen())
      return unknown_command(rest.front());
    if (error.get_name() == "RequiredError" && rest.empty() && !chosen())
      return "a command is missing";
    std::string reason = error.what();
    if (!reason.empty() && reason.back() == '.') reason.pop_back();
    return reason;
  }

  [[nodiscard]] bool chosen() const {
    for (const auto& [command, action] : actions_) {
      if (command->parsed()) return true;
    }
    return false;
  }

  [[nodiscard]] std::string unknown_command(const std::string& word) const {
    const CLI::App* parent = &app_;
    for (const auto& [name, group] : groups_) {
      if (group->parsed()) parent = group;
    }
    std::vector<std::string> names;
    for (const CLI::App* one : parent->get_subcommands({})) names.push_back(one->get_name());
    const std::vector<std::string_view> known(names.begin(), names.end());
    const std::string_view meant = nearest(word, known);
    std::string sentence = policyd::quoted(word) + " is not a command";
    if (parent != &app_) sentence += " of " + parent->get_name();
    if (!meant.empty()) sentence.append("; did you mean ").append(policyd::quoted(meant));
    return sentence;
  }

  Options options_;
  CLI::App app_;
  std::map<std::string_view, CLI::App*> groups_;
  std::vector<std::pair<CLI::App*, CommandAction>> actions_;
};

}  // namespace
}  // namespace policyd

int main(int argc, char** argv) {
  policyd::CommandLine command_line;
  return command_line.run(argc, argv);
}
