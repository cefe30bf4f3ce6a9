// policyctl check: what policyd would answer to a request in Postfix' own format, and everything
// that leads to it.
#include "policyd/ctl/account_lock.h"

#include <memory>
#include "policyd/ctl/command.h"
#include "policyd/ctl/table.h"
#include "policyd/ctl/verdict_text.h"

namespace policyd {

namespace {

CommandAction declare_check(Arguments& takes) {
  const auto file = std::make_shared<std::string>("-");
  takes.text("FILE", *file, "a request as Postfix sends it; - is standard input").shows_default().not_empty();
  return [file](Session& session) {
    const auto request = read_input(*file);
    if (!request) return session.fail(kRefused, request.error().message);
    return session.show(session.ask_text("POST", "/v1/check", *request),
                        [](const Json& verdict) { return verdict_text(verdict, terminal_width()); });
  };
}

constexpr Command kCommands[] = {
    {"", "check", "what a request would be answered, and why; changes nothing", declare_check},
};

}  // namespace

std::span<const Command> check_commands() {
  return kCommands;
}

}  // namespace policyd
