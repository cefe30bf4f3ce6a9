// Locks of accounts in the admin API: which there are, and a person who locks and unlocks.
//
// The mirror answers what is asked, the warden does what is changed.
#include "policyd/admin/account_name.h"
#include "policyd/admin/audit.h"
#include "policyd/admin/lock_json.h"
#include "policyd/admin/note.h"
#include "policyd/admin/resources.h"
#include "shared/address.h"
#include "shared/displayable.h"
#include "shared/duration.h"
#include "shared/host_name.h"
#include "shared/text.h"

namespace policyd {

namespace {

Error wrong(std::string_view key, const std::string& reason) { return {std::string(key) + ": " + reason}; }

Result<void> set_text(std::string& into, std::string_view key, const Json& value) {
  const auto* text = value.get_ptr<const std::string*>();
  if (!text) return wrong(key, "expected a text");
  if (const auto checked = check_note(*text); !checked) return wrong(key, checked.error().message);
  into = *text;
  return {};
}

Result<void> set_duration(LockRequest& request, const Json& value) {
  std::string text;
  if (auto set = set_text(text, "for", value); !set) return set;
  const auto duration = parse_duration(text);
  if (!duration) return wrong("for", duration.error().message);
  if (duration->count() == 0) return wrong("for", policyd::quoted(text) + " is no time at all; expected e.g. 1h");
  request.lock_time = *duration;
  return {};
}

// One key of a body.
Result<void> set(LockRequest& request, const std::string& key, const Json& value) {
  if (key == "for") return set_duration(request, value);
  if (key == "reason") return set_text(request.reason, key, value);
  if (key == "by") return set_text(request.by, key, value);
  if (key != "replace") {
    return Error{policyd::quoted(key) + " is not a part of a lock; expected reason, for, by or replace"};
  }
  if (!value.is_boolean()) return wrong(key, "expected true or false");
  request.replace = value.get<bool>();
  return {};
}

Result<LockRequest> request_of(const std::string& account, const Json& json) {
  LockRequest request;
  request.account = account;
  for (const auto& [key, value] : json.items()) {
    if (auto done = set(request, key, value); !done) return done.error();
  }
  if (trim(request.reason).empty()) return Error{"reason: expected a text, e.g. {\"reason\": \"phished\"}"};
  return request;
}

// A login may look like a domain; then it may be a mistake.
std::string note_on(const std::string& account, std::string_view mode) {
  if (mode == "domain" || IpAddress::parse(account) || account.find('.') == std::string::npos) return {};
  if (!host_name_flaw(account).empty()) return {};
  return "that is a login; the logins of a domain " + account + " are locked one by one";
}

}  // namespace

Task<ApiAnswer> list_locks(const AdminContext& context, const ApiRequest&) {
  ApiAnswer listed{200, [locks = context.mirror.locks()] {
                     Json list = Json::array();
                     for (const Lock& lock : locks) list.push_back(lock_to_json(lock));
                     Json body = {{"locks", std::move(list)}};
                     return body;
                   }};
  co_return listed;
}

Task<ApiAnswer> lock_account(const AdminContext& context, const ApiRequest& request) {
  const std::string mode = context.engine.config().traffic.account;  // a reload may come while it is awaited
  const Result<std::string> name = lockable_account(request.path[0], mode);
  if (!name) co_return refusal(400, name.error().message);
  const Result<LockRequest> asked = request_of(*name, request.json);
  if (!asked) co_return refusal(400, asked.error().message);
  const auto locking = context.warden.lock(*asked);
  const Result<LockOutcome> outcome = co_await locking;
  if (!outcome) co_return refusal(503, outcome.error().message);
  if (!outcome->made) {
    co_return refusal(409, "the account " + displayable_name(*name) + " is locked already: " + outcome->lock.reason);
  }
  log_change("lock=" + policyd::quoted(*name) + " by=" + policyd::quoted(asked->by) +
             " reason=" + policyd::quoted(asked->reason));
  Json body = lock_to_json(outcome->lock);
  if (std::string note = note_on(*name, mode); !note.empty()) body["note"] = std::move(note);
  co_return answer(std::move(body), 201);
}

Task<ApiAnswer> unlock_account(const AdminContext& context, const ApiRequest& request) {
  const Result<std::string> name = account_name(request.path[0]);
  if (!name) co_return refusal(400, name.error().message);
  std::string by;
  if (const auto who = request.json.find("by"); who != request.json.end()) {
    if (const auto set = set_text(by, "by", *who); !set) co_return refusal(400, set.error().message);
  }
  const auto unlocking = context.warden.unlock(*name, by);
  const Result<std::optional<Lock>> lifted = co_await unlocking;
  if (!lifted) co_return refusal(503, lifted.error().message);
  if (!*lifted) co_return refusal(404, "the account " + displayable_name(*name) + " is not locked");
  log_change("lock=" + policyd::quoted(*name) + " lifted by=" + policyd::quoted(by));
  Json body = {{"account", *name}, {"unlocked", lock_to_json(**lifted)}};
  co_return answer(std::move(body));
}

}  // namespace policyd
