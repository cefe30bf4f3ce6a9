// Reports in the admin API: what greylisting and the checks did over some days, on all nodes.
//
// What this node has counted is handed to the store first, so that an answer is as fresh as it can be. The sums are
// made on the thread that writes the answer.
#include <algorithm>

#include "policyd/admin/block_json.h"
#include "policyd/admin/query.h"
#include "policyd/admin/resources.h"
#include "policyd/checks/check.h"
#include "policyd/report/reporter.h"
#include "policyd/report/summary.h"
#include "shared/duration.h"
#include "shared/report_period.h"
#include "shared/text.h"

namespace policyd {

namespace {

constexpr size_t kListed = 20;

// From when to when, by ?since=DURATION.
struct Period {
  WallTime since{}, until{};
};

Result<Period> period_of(const AdminContext& context, const ApiRequest& request) {
  const auto given = request.query.find("since");
  const auto length = parse_report_period(given == request.query.end() ? kUsualReportPeriod : given->second);
  if (!length) return Error{"since: " + length.error().message};
  const WallTime now = context.clock.wall();
  return Period{hour_of(now - *length), now};
}

// ?by=client, recipient; without it, both.
struct Groups {
  bool clients = true, recipients = true;
};

Result<Groups> groups_of(const ApiRequest& request) {
  const auto by = request.query.find("by");
  if (by == request.query.end()) return Groups{};
  if (by->second == "client") return Groups{true, false};
  if (by->second == "recipient") return Groups{false, true};
  return Error{"by: " + policyd::quoted(by->second) + " is none of client, recipient"};
}

Task<Result<ReportHours>> read(const AdminContext& context, ReportKind kind, WallTime since) {
  const auto handing_over = context.reporter.hand_over();
  co_await handing_over;
  const auto reading = context.store.report(kind, since);
  co_return co_await reading;
}

Json greylist_json(const GreylistSum& sum) {
  return {{"attempts", sum.attempts}, {"new", sum.begun},   {"passed", sum.passed},
          {"waiting", sum.waiting},   {"never", sum.never}, {"at_once", sum.at_once}};
}

Json greylist_list(const ReportHours& hours, const char* name, size_t limit, WallTime now, Milliseconds pass) {
  const auto sums = sum_greylist(hours, now, pass);
  Json list = Json::array();
  for (const GreylistSum& sum : std::span(sums).first(std::min(limit, sums.size()))) {
    Json row = {{name, sum.name}};
    row.update(greylist_json(sum));
    list.push_back(std::move(row));
  }
  return {{"rows", std::move(list)}, {"more", sums.size() - std::min(limit, sums.size())}};
}

Json check_json(const CheckSum& sum, const char* name) {
  return {{name, sum.name}, {"requests", sum.requests}, {"hits", sum.hits}, {"share", sum.share()},
          {"decided", sum.decided}};
}

// With what only checks and zones have.
Json asked_json(const CheckSum& sum, const char* name) {
  Json json = check_json(sum, name);
  json["errors"] = sum.errors;
  json["median_ms"] = sum.median ? Json(*sum.median) : Json();
  return json;
}

Json checks_json(const ReportHours& hours) {
  Json list = Json::array();
  for (const CheckSum& check : sum_checks(hours, check_specs())) {
    Json json = asked_json(check, "check");
    Json& outcomes = json["outcomes"] = Json::array();
    for (const CheckSum& outcome : check.outcomes) outcomes.push_back(check_json(outcome, "outcome"));
    Json& zones = json["zones"] = Json::array();
    for (const CheckSum& zone : check.zones) zones.push_back(asked_json(zone, "zone"));
    list.push_back(std::move(json));
  }
  return list;
}

Json period_json(const Period& period) {
  return {{"since", format_time(period.since)}, {"until", format_time(period.until)}};
}

}  // namespace

Task<ApiAnswer> report_greylist(const AdminContext& context, const ApiRequest& request) {
  const auto period = period_of(context, request);
  if (!period) co_return refusal(400, period.error().message);
  const auto groups = groups_of(request);
  if (!groups) co_return refusal(400, groups.error().message);
  const auto limit = limit_of(request, kListed);
  if (!limit) co_return refusal(400, limit.error().message);
  const auto reading_clients = read(context, ReportKind::clients, period->since);
  const auto clients = co_await reading_clients;
  if (!clients) co_return refusal(503, clients.error().message);
  const auto reading_recipients = read(context, ReportKind::recipients, period->since);
  const auto recipients = co_await reading_recipients;
  if (!recipients) co_return refusal(503, recipients.error().message);
  const Milliseconds pass = context.engine.config().greylist.pass;
  ApiAnswer given{200, [=, period = *period, groups = *groups, limit = *limit, clients = *clients,
                        recipients = *recipients] {
                    Json body = period_json(period);
                    body["pass"] = format_duration(pass);
                    body["total"] = greylist_json(total_greylist(clients, period.until, pass));
                    if (groups.clients) body["clients"] = greylist_list(clients, "client", limit, period.until, pass);
                    if (groups.recipients) {
                      body["recipients"] = greylist_list(recipients, "recipient", limit, period.until, pass);
                    }
                    return body;
                  }};
  co_return given;
}

Task<ApiAnswer> report_checks(const AdminContext& context, const ApiRequest& request) {
  const auto period = period_of(context, request);
  if (!period) co_return refusal(400, period.error().message);
  const auto reading = read(context, ReportKind::checks, period->since);
  const auto hours = co_await reading;
  if (!hours) co_return refusal(503, hours.error().message);
  ApiAnswer given{200, [period = *period, hours = *hours] {
                    Json body = period_json(period);
                    body["checks"] = checks_json(hours);
                    return body;
                  }};
  co_return given;
}

}  // namespace policyd
