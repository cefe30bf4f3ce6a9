// The admin API's check: what a request of Postfix would be answered, and everything that leads to
// it. Changes nothing.
//
// The body is a request as Postfix sends it; the empty line at its end may be missing, as it often
// is in files.
#include "policyd/admin/block_json.h"
#include "policyd/admin/lock_json.h"
#include "policyd/admin/resources.h"
#include "shared/protocol.h"

namespace policyd {

namespace {

Result<void> read_request(std::string text, Request& request) {
  while (text.ends_with('\n')) text.pop_back();
  if (text.empty())
    return Error{"the request is empty; expected lines of NAME=VALUE as Postfix sends them"};
  if (text.find("\r\n") != std::string::npos)
    return Error{"lines end in CRLF; Postfix ends them with LF alone"};
  RequestReader reader;
  reader.feed(text);
  reader.feed("\n\n");
  const auto step = reader.next(request);
  if (!step) return Error{"not a request of Postfix: " + step.error().message};
  if (reader.pending() > 0)
    return Error{"there is more than one request; check them one at a time"};
  return {};
}

Json finding_json(const Finding& finding) {
  Json json = {{"check", finding.check->name}, {"score", finding.weight}};
  std::string detail = finding.detail;
  if (finding.outcome) {
    json["outcome"] = finding.outcome->name;
    if (detail.empty()) detail = finding.outcome->reason;
  }
  json["detail"] = std::move(detail);
  json["counted"] = finding.counted && finding.outcome != nullptr;
  return json;
}

std::string limit_text(const Limit& limit) {
  return std::string(meter_name(limit.meter)) + " " + limit.to_string();
}

// In whole seconds, rounded up: asked again by then, it passes.
int64_t seconds_until(Milliseconds wait) {
  return std::chrono::ceil<std::chrono::seconds>(wait).count();
}

Json greylisting_json(const Greylisting& greylisting) {
  Json json = {{"outcome", greylist_outcome_name(greylisting.result.outcome)}, {"client", greylisting.client}};
  json["wait"] = greylisting.result.waits() ? Json(seconds_until(greylisting.result.wait)) : Json();
  json["counted"] = greylisting.counted;
  return json;
}

Json verdict_json(const Verdict& verdict) {
  Json json = {{"action", action_name(verdict.action)},
               {"text", verdict.text},
               {"direction", direction_name(verdict.direction)},
               {"score", verdict.score}};
  Json& findings = json["findings"] = Json::array();
  for (const Finding& finding : verdict.findings) findings.push_back(finding_json(finding));
  json["cause"] = cause_name(verdict.cause);
  json["if_permit"] = verdict.if_permit;
  json["code"] = verdict.smtp_code == 0 ? Json() : Json(verdict.smtp_code);
  json["account"] = verdict.account.empty() ? Json() : Json(verdict.account);
  const ChargeResult& charge = verdict.charge;
  json["limit"] = charge.limit ? Json(limit_text(*charge.limit)) : Json();
  json["retry_after"] = charge.retry_after ? Json(seconds_until(*charge.retry_after)) : Json();
  json["sign"] = charge.sign ? Json(limit_text(*charge.sign)) : Json();
  json["rule"] = verdict.rule.empty() ? Json() : Json(verdict.rule);
  json["greylist"] = verdict.greylisting ? greylisting_json(*verdict.greylisting) : Json();
  json["lock"] = verdict.lock ? lock_to_json(*verdict.lock) : Json();
  json["block"] = verdict.block ? block_to_json(*verdict.block) : Json();
  return json;
}

}  // namespace

Task<ApiAnswer> check_request(const AdminContext& context, const ApiRequest& request) {
  Request asked;
  if (const auto read = read_request(request.text, asked); !read)
    co_return refusal(400, read.error().message);
  const auto explaining = context.engine.explain(asked);
  const Verdict verdict = co_await explaining;
  co_return answer(verdict_json(verdict));
}

}  // namespace policyd
