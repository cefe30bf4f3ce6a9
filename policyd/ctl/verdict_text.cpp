#include "policyd/ctl/verdict_text.h"

#include "policyd/ctl/usage_text.h"
#include "shared/duration.h"

namespace policyd {

namespace {

std::string block_line(const Json& block) {
  if (!block.is_object()) return {};
  const std::string description = text_of(block, "description");
  return text_of(block, "type") + ":" + name_of(block, "target") +
         (description.empty() ? "" : " (" + description + ")");
}

std::string sign_line(const Json& verdict) {
  const std::string sign = text_of(verdict, "sign");
  return sign.empty() ? sign : sign + ", " + std::to_string(number_of(verdict, "sign_used")) + " in its window";
}

std::string limit_line(const Json& verdict) {
  const std::string limit = text_of(verdict, "limit");
  if (limit.empty()) return {};
  if (!member_of(verdict, "retry_after").is_number())
    return limit + ", never: it is more than the limit allows at all";
  return limit + ", again in " +
         describe_duration(std::chrono::seconds(number_of(verdict, "retry_after")));
}

constexpr std::pair<std::string_view, std::string_view> kGreylistOutcomes[] = {
    {"first", "first attempt"},
    {"early", "tried again too early"},
    {"passed", "waited long enough"},
    {"known", "passed before"},
    {"allowed", "the client passed often enough"},
    {"unknown", "not known, the store is away"},
};

std::string greylist_line(const Json& greylist) {
  if (!greylist.is_object()) return {};
  std::string line = text_of(greylist, "outcome");
  for (const auto& [outcome, meaning] : kGreylistOutcomes) {
    if (line == outcome) line = meaning;
  }
  line += ", client " + text_of(greylist, "client");
  if (member_of(greylist, "wait").is_number())
    line += ", passes in " + describe_duration(std::chrono::seconds(number_of(greylist, "wait")));
  return line + (member_of(greylist, "counted") == false ? " (dry run)" : "");
}

struct CauseRow {
  std::string_view cause;
  std::string_view meaning;
};
constexpr CauseRow kCauses[] = {
    {"none", "nothing stands against it"},
    {"not_asked", "this protocol_state is not decided: only RCPT, DATA and END-OF-MESSAGE are"},
    {"block", "a block"},
    {"check", "a check that rejects at once"},
    {"score", "the score"},
    {"limit", "a send rate limit"},
    {"earlier", "decided before"},
    {"greylist", "greylisting"},
    {"rule", "a setting of the account"},
    {"lock", "the account is locked"},
};

std::string score_cell(const Json& finding) {
  if (text_of(finding, "outcome").empty()) return "-";
  const std::string score = std::to_string(number_of(finding, "score"));
  return member_of(finding, "counted") == false ? "(" + score + ")" : score;
}

std::string detail_cell(const Json& finding) {
  const bool done = !text_of(finding, "outcome").empty();
  const bool dry_run = done && member_of(finding, "counted") == false;
  return (done ? "" : "not done: ") + text_of(finding, "detail") + (dry_run ? " (dry run)" : "");
}

std::string findings_table(const Json& verdict, size_t width) {
  Table table({{"CHECK"}, {"SCORE", Align::right}, {"DETAIL"}});
  for (const auto& [index, finding] : member_of(verdict, "findings").items()) {
    table.add({text_of(finding, "check"), score_cell(finding), detail_cell(finding)});
  }
  return table.empty() ? "" : "\n" + table.render(width);
}

}  // namespace

std::string lock_line(const Json& lock) {
  if (!lock.is_object()) return {};
  const std::string evidence = text_of(lock, "evidence");
  const std::string since = text_of(lock, "since"), by = text_of(lock, "by");
  return text_of(lock, "reason") + (evidence.empty() ? "" : " (" + evidence + ")") +
         (since.empty() ? "" : ", since " + since) + (by.empty() ? "" : " by " + by);
}

std::string verdict_tables(const Json& verdict, size_t width) {
  const Json& limits = member_of(verdict, "limits");
  return findings_table(verdict, width) + (limits.empty() ? "" : "\n" + render_limits(limits, width, false));
}

std::string cause_text(const std::string& cause) {
  for (const CauseRow& row : kCauses) {
    if (row.cause == cause) return std::string(row.meaning);
  }
  return cause;
}

std::vector<Fact> verdict_facts(const Json& verdict) {
  const int64_t code = number_of(verdict, "code");
  const bool if_permit = member_of(verdict, "if_permit") == true;
  const std::string action = text_of(verdict, "action") + (if_permit ? "_IF_PERMIT" : "");
  const std::string word = code != 0 ? std::to_string(code) : action;
  const std::string text = text_of(verdict, "text");
  return {{"answer", text.empty() ? word : word + " " + text},
          {"because of", cause_text(text_of(verdict, "cause"))},
          {"direction", text_of(verdict, "direction")},
          {"account", name_of(verdict, "account")},
          {"block", block_line(member_of(verdict, "block"))},
          {"lock", lock_line(member_of(verdict, "lock"))},
          {"rule", text_of(verdict, "rule")},
          {"limit", limit_line(verdict)},
          {"sign", sign_line(verdict)},
          {"greylist", greylist_line(member_of(verdict, "greylist"))},
          {"score", std::to_string(number_of(verdict, "score"))}};
}

std::string verdict_text(const Json& verdict, size_t width) {
  return render_facts(verdict_facts(verdict)) + verdict_tables(verdict, width);
}

}  // namespace policyd
