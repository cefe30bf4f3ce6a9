// Signs of a hijack that others have seen, in the admin API: spam that a content filter or a feedback loop tells of,
// recipients that bounced.
//
// They count as those do that policyd sees itself, for the account that the mail was charged to, and may lock it: what
// cannot be locked is refused.
#include "policyd/admin/account_name.h"
#include "policyd/admin/audit.h"
#include "policyd/admin/resources.h"
#include "policyd/subject.h"
#include "shared/text.h"

namespace policyd {

namespace {

constexpr int64_t kMostAtOnce = 1'000'000;

struct ReportedSign {
  Meter meter = Meter::spam;
  int64_t count = 1;
};

Result<ReportedSign> sign_in(const Json& json) {
  ReportedSign reported;
  for (const auto& [key, value] : json.items()) {
    if (key != "sign" && key != "count") {
      return Error{policyd::quoted(key) + " is not a part of a report; expected sign or count"};
    }
  }
  const auto sign = json.find("sign");
  const auto* name = sign == json.end() ? nullptr : sign->get_ptr<const std::string*>();
  if (!name || (*name != meter_name(Meter::spam) && *name != meter_name(Meter::invalid_recipients))) {
    return Error{"sign: expected spam or invalid_recipients"};
  }
  if (*name == meter_name(Meter::invalid_recipients)) reported.meter = Meter::invalid_recipients;
  const auto count = json.find("count");
  if (count == json.end()) return reported;
  if (count->is_number_integer()) reported.count = count->get<int64_t>();
  if (!count->is_number_integer() || reported.count < 1 || reported.count > kMostAtOnce) {
    return Error{"count: expected a whole number from 1 to " + std::to_string(kMostAtOnce)};
  }
  return reported;
}

void log_report(const std::string& account, const ReportedSign& reported) {
  std::string line = "report=" + policyd::quoted(account);
  line.append(" sign=").append(meter_name(reported.meter)).append(" count=").append(std::to_string(reported.count));
  log_change(line);
}

}  // namespace

Task<ApiAnswer> report_sign(const AdminContext& context, const ApiRequest& request) {
  const Result<std::string> name = account_name(request.path[0]);
  if (!name) co_return refusal(400, name.error().message);
  const Result<ReportedSign> reported = sign_in(request.json);
  if (!reported) co_return refusal(400, reported.error().message);
  const std::optional<std::string> charged = charged_account(*name, context.engine.config());
  if (!charged) {
    co_return refusal(409, "mail is charged to the client's network (traffic.account), which is not known of " + *name +
                               "; report the client's address or network");
  }
  const Result<std::string> lockable = lockable_account(*charged, context.engine.config().traffic.account);
  if (!lockable) co_return refusal(400, lockable.error().message);
  const auto reporting = context.engine.report_sign(*charged, reported->meter, reported->count);
  const std::optional<ChargeResult> counted = co_await reporting;
  Json body = {{"account", *charged}, {"sign", meter_name(reported->meter)}, {"count", reported->count}};
  body["counted"] = counted.has_value();
  body["over"] = counted && counted->sign ? Json(counted->sign->to_string()) : Json();
  if (counted) log_report(*charged, *reported);
  co_return answer(std::move(body));
}

}  // namespace policyd
