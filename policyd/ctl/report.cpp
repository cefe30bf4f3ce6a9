// policyctl report: what greylisting and the checks did over some days, on all nodes.
#include <memory>
#include <optional>

#include "policyd/ctl/command.h"
#include "policyd/ctl/report_text.h"
#include "policyd/ctl/table.h"
#include "shared/admin_api.h"
#include "shared/percent_encoding.h"
#include "shared/report_period.h"

namespace policyd {

namespace {

std::shared_ptr<std::string> declare_since(Arguments& takes) {
  auto since = std::make_shared<std::string>(kUsualReportPeriod);
  takes.text("--since", *since, "how far back, e.g. 90m, 12h, 7d; to the hour, at most 31d").shows_default();
  return since;
}

// Why the value of --since is none; nothing: it is one.
std::optional<std::string> wrong(const std::string& since) {
  const auto period = parse_report_period(since);
  return period ? std::nullopt : std::optional("--since: " + period.error().message);
}

CommandAction declare_greylist(Arguments& takes) {
  const auto since = declare_since(takes);
  const auto by = std::make_shared<std::string>();
  const auto limit = std::make_shared<int>(20);
  takes.text("--by", *by, "client or recipient (domain); else both").one_of({"client", "recipient"});
  takes.number("--limit", *limit, {1, kMostListed}, "at most so many of each, those with the most attempts first")
      .shows_default();
  return [=](Session& session) {
    if (const auto reason = wrong(*since)) return session.fail(kUsage, *reason);
    const std::string group = by->empty() ? "" : "&by=" + *by;
    return session.show(session.get("/v1/reports/greylist?since=" + percent_encode(*since) + group +
                                    "&limit=" + std::to_string(*limit)),
                        [](const Json& answer) { return greylist_text(answer, terminal_width()); });
  };
}

CommandAction declare_checks(Arguments& takes) {
  const auto since = declare_since(takes);
  return [since](Session& session) {
    if (const auto reason = wrong(*since)) return session.fail(kUsage, *reason);
    return session.show(session.get("/v1/reports/checks?since=" + percent_encode(*since)),
                        [](const Json& answer) { return checks_text(answer, terminal_width()); });
  };
}

constexpr Command kCommands[] = {
    {"report", "greylist", "who came back, by client and by recipient domain", declare_greylist},
    {"report", "checks", "what checks and DNS lists found, and how often they decided", declare_checks},
};

}  // namespace

std::span<const Command> report_commands() {
  return kCommands;
}

}  // namespace policyd
