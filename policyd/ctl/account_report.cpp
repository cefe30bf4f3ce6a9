// policyctl account report: tells policyd of a sign of a hijack that somebody else has seen.
#include "policyd/ctl/account_path.h"

#include <memory>
#include "policyd/ctl/command.h"

namespace policyd {

namespace {

struct ReportArguments {
  std::string account;
  bool spam = false;
  bool invalid_recipient = false;
  int64_t count = 1;
};

std::string render(const Json& report) {
  const std::string sign = text_of(report, "sign"), account = name_of(report, "account");
  if (member_of(report, "counted") != true) {
    return account + " has no limit of " + sign + ": nothing is counted\n";
  }
  const std::string over = text_of(report, "over");
  return "counted " + std::to_string(number_of(report, "count")) + " " + sign + " of " + account +
         (over.empty() ? "" : ", which is over " + over) + "\n";
}

int report(Session& session, const ReportArguments& arguments) {
  if (arguments.spam == arguments.invalid_recipient) {
    return session.fail(kUsage, "say what is reported: --spam or --invalid-recipient");
  }
  const Json body = {{"sign", arguments.spam ? "spam" : "invalid_recipients"}, {"count", arguments.count}};
  const std::string path = account_path(arguments.account, "/signs");
  return session.show(session.ask("POST", path, body), render);
}

CommandAction declare_report(Arguments& takes) {
  const auto arguments = std::make_shared<ReportArguments>();
  takes.text("ACCOUNT", arguments->account, "a login, or the address of a client without one").required().not_empty();
  takes.flag("--spam", arguments->spam, "a message of the account was spam");
  takes.flag("--invalid-recipient", arguments->invalid_recipient, "a recipient of the account does not exist");
  takes.number("--count", arguments->count, {1, 1'000'000}, "how many; 1 without it");
  return [arguments](Session& session) { return report(session, *arguments); };
}

constexpr Command kCommands[] = {
    {"account", "report", "tells of spam of an account, or of recipients that do not exist", declare_report},
};

}  // namespace

std::span<const Command> account_report_commands() { return kCommands; }

}  // namespace policyd
