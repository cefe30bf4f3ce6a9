// policyctl account lock, unlock: an account that may send nothing until its lock ends or is lifted.
#include "policyd/ctl/account_lock.h"

#include <algorithm>
#include <memory>
#include <optional>

#include "policyd/ctl/account_path.h"
#include "policyd/ctl/block_arguments.h"
#include "policyd/ctl/command.h"
#include "policyd/ctl/table.h"
#include "policyd/ctl/verdict_text.h"
#include "shared/duration.h"

namespace policyd {

namespace {

struct LockArguments {
  std::string account;
  std::string reason;
  std::optional<std::string> duration;
  bool replace = false;
};

int lock_account(Session& session, const LockArguments& arguments) {
  Json body = {{"reason", arguments.reason}, {"by", operator_name()}};
  if (arguments.duration) {
    if (const auto parsed = parse_duration(*arguments.duration); !parsed)
      return session.fail(kUsage, "--for: " + parsed.error().message);
    body["for"] = *arguments.duration;
  }
  if (arguments.replace) body["replace"] = true;
  Answer answer = session.ask("PUT", account_path(arguments.account, "/lock"), body);
  if (answer.conflict) answer.error += "; say --replace to lock it anew";
  return session.show(answer, [&](const Json& lock) {
    const std::string note = text_of(lock, "note");
    return "locked " + name_of(lock, "account") +
           (arguments.duration ? " for " + *arguments.duration : " until it is unlocked") +
           (note.empty() ? "" : "; " + note) + "\n";
  });
}

CommandAction declare_lock(Arguments& takes) {
  const auto arguments = std::make_shared<LockArguments>();
  takes.text("ACCOUNT", arguments->account, "a login, or the address of a client without one").required().not_empty();
  takes.text("--reason", arguments->reason, "why; never shown to the client").required().not_empty();
  takes.text("--for", arguments->duration, "how long, e.g. 15m, 1h, 2d; else until it is unlocked");
  takes.flag("--replace", arguments->replace, "in place of a lock that is there");
  return [arguments](Session& session) { return lock_account(session, *arguments); };
}

CommandAction declare_unlock(Arguments& takes) {
  const auto account = std::make_shared<std::string>();
  takes.text("ACCOUNT", *account, "a login, or the address of a client without one").required().not_empty();
  return [account](Session& session) {
    const Json body = {{"by", operator_name()}};
    return session.show(session.ask("POST", account_path(*account, "/unlock"), body), [](const Json& done) {
      return "unlocked " + name_of(done, "account") + "; its signs are counted anew\n";
    });
  };
}

constexpr Command kCommands[] = {
    {"account", "lock", "takes nothing from an account, for a while or until it is unlocked", declare_lock},
    {"account", "unlock", "lifts a lock, and begins to count anew", declare_unlock},
};

}  // namespace

std::string lock_end(const Json& lock) {
  const std::string until = text_of(lock, "until");
  const auto end = parse_time(until);
  if (!end) return "when it is lifted";
  return "in " + describe_duration(std::max(*end - SystemClock().wall(), Milliseconds(0))) + ", " + until;
}

std::string lock_with_end(const Json& lock) {
  return lock.is_object() ? lock_line(lock) + "; ends " + lock_end(lock) : "";
}

std::string render_lock_history(const Json& events) {
  Table table({{"WHEN"}, {"LOCK"}, {"BY"}, {"REASON"}, {"EVIDENCE"}});
  for (const auto& [index, event] : events.items()) {
    table.add({text_of(event, "at"), text_of(event, "event"), text_of(event, "who"), text_of(event, "reason"),
               text_of(event, "evidence")});
  }
  return table.empty() ? "" : "\n" + table.render(terminal_width());
}

std::string render_locks(const Json& answer) {
  Table table({{"ACCOUNT"}, {"ENDS"}, {"UNLOCKS", Align::right}, {"BY"}, {"REASON"}, {"EVIDENCE"}});
  for (const auto& [index, lock] : member_of(answer, "locks").items()) {
    table.add({name_of(lock, "account"), lock_end(lock), std::to_string(number_of(lock, "unlocks")),
               text_of(lock, "by"), text_of(lock, "reason"), text_of(lock, "evidence")});
  }
  return table.empty() ? "no account is locked\n" : table.render(terminal_width());
}

std::span<const Command> account_lock_commands() { return kCommands; }

}  // namespace policyd
