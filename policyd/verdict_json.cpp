#include "policyd/verdict_json.h"

#include "policyd/admin/block_json.h"
#include "policyd/admin/limit_json.h"
#include "policyd/admin/lock_json.h"

namespace policyd {

namespace {

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

}  // namespace

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
  json["sign_used"] = charge.sign ? Json(charge.sign_used) : Json();
  Json& limits = json["limits"] = Json::array();
  for (const LimitUse& use : charge.uses) limits.push_back(limit_to_json(use.limit, use.used));
  json["rule"] = verdict.rule.empty() ? Json() : Json(verdict.rule);
  json["greylist"] = verdict.greylisting ? greylisting_json(*verdict.greylisting) : Json();
  json["lock"] = verdict.lock ? lock_to_json(*verdict.lock) : Json();
  json["block"] = verdict.block ? block_to_json(*verdict.block) : Json();
  return json;
}

}  // namespace policyd
