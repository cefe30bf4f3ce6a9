// The journal in the admin API: refusals that match, in pages, and one by its id.
//
// What this node has recorded is handed to the store first, so that it is there at once. A page may hold fewer entries
// than asked for, even none, and still have more behind it: a request looks at so many rows and no more. Entries are
// parsed and written out on the thread that writes the answer.
#include <algorithm>
#include <array>

#include "policyd/admin/account_name.h"
#include "policyd/admin/query.h"
#include "policyd/admin/resources.h"
#include "policyd/checks/check.h"
#include "policyd/journal/search.h"
#include "shared/block.h"
#include "shared/duration.h"
#include "shared/shallow_json.h"
#include "shared/text.h"

namespace policyd {

namespace {

constexpr size_t kListed = 100;
constexpr size_t kMostEntries = 1'000;  // of an answer

Result<WallTime> time_of(const std::string& text, WallTime now) {
  if (const auto time = parse_time(text)) return *time;
  if (const auto ago = parse_duration(text)) return now - *ago;
  return Error{policyd::quoted(text) +
               " is neither a time such as 2026-11-21T10:00:00Z nor a duration such as 90m or 7d"};
}

Result<std::vector<Action>> actions_of(const std::string& text) {
  std::vector<Action> actions;
  for (size_t at = 0; at <= text.size();) {
    const size_t comma = std::min(text.find(',', at), text.size());
    const std::string name = to_lower(trim(std::string_view(text).substr(at, comma - at)));
    const auto known = {Action::defer, Action::hold, Action::reject};
    const auto* const found =
        std::find_if(known.begin(), known.end(), [&name](Action one) { return to_lower(action_name(one)) == name; });
    if (found == known.end()) return Error{policyd::quoted(name) + " is none of defer, hold, reject"};
    actions.push_back(*found);
    at = comma + 1;
  }
  return actions;
}

// "dnsbl" or "spf.fail".
Result<std::string> check_of(const std::string& text) {
  for (const CheckSpec& spec : check_specs()) {
    if (spec.name == text) return text;
    for (const OutcomeSpec& outcome : spec.outcomes) {
      if (std::string(spec.name) + "." + std::string(outcome.name) == text) return text;
    }
  }
  return Error{policyd::quoted(text) + " is neither a check nor an outcome of one, such as \"spf\" or \"spf.fail\""};
}

// "<joe@example.com>" too; "<>" is the null sender.
std::string address_of(std::string_view text) {
  if (text.starts_with('<') && text.ends_with('>')) text = text.substr(1, text.size() - 2);
  if (text.starts_with('@')) text.remove_prefix(1);
  return std::string(text);
}

struct Given {
  const AdminContext& context;
  JournalSearch& search;
};

struct Parameter {
  std::string_view name;
  Result<void> (*take)(const Given& given, const std::string& text);
};

// What a reader may leave out is older than what the journal keeps.
constexpr std::array kParameters = {
    Parameter{"since",
              [](const Given& given, const std::string& text) -> Result<void> {
                const auto time = time_of(text, given.context.clock.wall());
                if (!time) return time.error();
                given.search.filter.since = std::max(*time, *given.search.filter.since);
                return {};
              }},
    Parameter{"until",
              [](const Given& given, const std::string& text) -> Result<void> {
                const auto time = time_of(text, given.context.clock.wall());
                if (!time) return time.error();
                given.search.filter.until = *time;
                return {};
              }},
    Parameter{"account",
              [](const Given& given, const std::string& text) -> Result<void> {
                const auto name = text.empty() ? Result<std::string>(text) : account_name(text);
                if (!name) return name.error();
                given.search.filter.account = *name;
                return {};
              }},
    Parameter{"client",
              [](const Given& given, const std::string& text) -> Result<void> {
                const auto network = Network::parse(text);
                if (!network) return network.error();
                const bool single = network->prefix == network->address.bits();
                if (!single && given.context.journal.settings().redact) {
                  return Error{
                      "a network cannot be looked for where journal.redact hashes addresses; give one address"};
                }
                given.search.filter.client = *network;
                return {};
              }},
    Parameter{"sender",
              [](const Given& given, const std::string& text) -> Result<void> {
                given.search.filter.sender = address_of(text);
                return {};
              }},
    Parameter{"recipient",
              [](const Given& given, const std::string& text) -> Result<void> {
                given.search.filter.recipient = address_of(text);
                return {};
              }},
    Parameter{"action",
              [](const Given& given, const std::string& text) -> Result<void> {
                auto actions = actions_of(text);
                if (!actions) return actions.error();
                given.search.filter.actions = *std::move(actions);
                return {};
              }},
    Parameter{"check",
              [](const Given& given, const std::string& text) -> Result<void> {
                const auto check = check_of(text);
                if (!check) return check.error();
                given.search.filter.check = *check;
                return {};
              }},
    Parameter{"held",
              [](const Given& given, const std::string& text) -> Result<void> {
                if (text != "yes" && text != "no") return Error{policyd::quoted(text) + " is none of yes, no"};
                given.search.filter.held = text == "yes";
                return {};
              }},
    Parameter{"order",
              [](const Given& given, const std::string& text) -> Result<void> {
                if (text != "newest" && text != "oldest") {
                  return Error{policyd::quoted(text) + " is none of newest, oldest"};
                }
                given.search.newest_first = text == "newest";
                return {};
              }},
    Parameter{"after",
              [](const Given& given, const std::string& text) -> Result<void> {
                const auto place = JournalPlace::parse(text);
                if (!place) {
                  return Error{policyd::quoted(text) + " is no place in the journal, such as 1795255200123-0"};
                }
                given.search.after = *place;
                return {};
              }},
};

Result<JournalSearch> search_of(const AdminContext& context, const ApiRequest& request) {
  JournalSearch search;
  search.filter.redactor = context.journal.redactor();
  search.filter.since = context.clock.wall() - context.journal.settings().keep;
  for (const Parameter& parameter : kParameters) {
    const auto given = request.query.find(std::string(parameter.name));
    if (given == request.query.end()) continue;
    const auto taken = parameter.take({context, search}, given->second);
    if (!taken) return Error{std::string(parameter.name) + ": " + taken.error().message};
  }
  const auto limit = limit_of(request, kListed);
  if (!limit) return limit.error();
  search.limit = std::min(*limit, kMostEntries);
  return search;
}

Json found_json(const JournalFound& found) {
  Json entries = Json::array();
  for (const std::string& entry : found.entries) entries.push_back(parse_shallow_json<Json>(entry));
  return {{"entries", std::move(entries)},
          {"first", found.first.to_string()},
          {"after", found.last.to_string()},
          {"more", found.more}};
}

}  // namespace

Task<ApiAnswer> list_journal(const AdminContext& context, const ApiRequest& request) {
  auto search = search_of(context, request);
  if (!search) co_return refusal(400, search.error().message);
  const auto handing_over = context.journal.hand_over();
  co_await handing_over;
  const auto searching = search_journal(context.journal.loop(), context.store, *std::move(search));
  const auto found = co_await searching;
  if (!found) co_return refusal(503, found.error().message);
  ApiAnswer given{200, [found = *found] { return found_json(found); }};
  co_return given;
}

Task<ApiAnswer> get_journal_entry(const AdminContext& context, const ApiRequest& request) {
  const std::string& text = request.path.at(0);
  const auto id = JournalId::parse(text);
  if (!id) co_return refusal(400, policyd::quoted(text) + " is not an id, such as 7K2M-9QXW-1T5P");
  const auto handing_over = context.journal.hand_over();
  co_await handing_over;
  const auto finding = find_in_journal(context.store, *id);
  const auto found = co_await finding;
  if (!found) co_return refusal(503, found.error().message);
  if (!*found) {
    co_return refusal(404, "there is no entry " + id->to_string() + " of " + format_time(id->time()) +
                               " in the journal; it may be too old, or not written yet");
  }
  ApiAnswer given{200, [entry = **found]() mutable { return std::move(entry); }};
  co_return given;
}

}  // namespace policyd
