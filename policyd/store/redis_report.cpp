// Reports in the Redis store: figures are added by a script, and read hour by hour. None of it is on the way of a
// decision.
#include <deque>
#include <map>

#include "policyd/store/redis.h"
#include "policyd/store/redis_scripts.h"
#include "shared/report_period.h"

namespace policyd {

namespace {

constexpr Milliseconds kBatchRemembered = std::chrono::days(1);
constexpr Milliseconds kHour = std::chrono::hours(1);
constexpr size_t kHoursAtOnce = 24;  // read with one write to Redis, and held in its memory as replies

std::string number(int64_t value) { return std::to_string(value); }

// The arguments of kAddReportScript.
std::vector<std::string> command_of(const ReportBatch& batch, const Keys& keys, const std::string& batch_key) {
  std::map<std::string, std::pair<size_t, WallTime>> hours;  // by key: its place from 2, and its start
  for (const ReportRow& row : batch.rows) {
    hours.try_emplace(keys.report(row.kind, row.hour), hours.size() + 2, row.hour);
  }
  std::vector<std::string> in_place(hours.size()), expiries(hours.size());
  for (const auto& [key, hour] : hours) {
    in_place[hour.first - 2] = key;
    expiries[hour.first - 2] = number((hour.second + kHour + kReportKept).time_since_epoch().count());
  }
  std::vector<std::string> command{"EVAL", std::string(kAddReportScript), std::to_string(hours.size() + 1), batch_key};
  command.insert(command.end(), in_place.begin(), in_place.end());
  for (std::string argument : {std::to_string(batch.id), number(kBatchRemembered.count()), std::to_string(kReportNames),
                               std::string(kOther)}) {
    command.push_back(std::move(argument));
  }
  command.insert(command.end(), expiries.begin(), expiries.end());
  for (const ReportRow& row : batch.rows) {
    command.push_back(std::to_string(hours.at(keys.report(row.kind, row.hour)).first));
    command.push_back(row.name);
    command.push_back(format_figures(row.figures));
  }
  return command;
}

// Of HGETALL; what is no hash holds nothing.
ReportRows rows_of(const RedisReply& reply) {
  ReportRows rows;
  for (size_t at = 0; at + 1 < reply.elements.size(); at += 2) {
    rows.emplace(reply.elements[at].text, parse_figures(reply.elements[at + 1].text));
  }
  return rows;
}

}  // namespace

Task<Result<void>> RedisStore::add_report(ReportBatch batch) {
  if (!link_.serving()) co_return away_error();
  std::vector<std::string> command = command_of(batch, keys_, keys_.report_batch(self_().id));
  const auto asking = ask(std::move(command));
  const auto reply = co_await asking;
  if (!reply) co_return reply.error();
  co_return Result<void>();
}

Task<Result<ReportHours>> RedisStore::report(ReportKind kind, WallTime since) {
  // What a node counted, or Redis says the time of, may be of an hour that has not begun here.
  const WallTime end = hour_of(clock_.wall() + link_.nodes().redis_ahead()) + 2 * kHour;
  ReportHours hours;
  for (WallTime next = hour_of(since); next < end;) {
    if (!link_.serving()) co_return away_error();
    const WallTime first = next;
    std::deque<RedisCall> calls;  // where it stands it stays
    for (; next < end && calls.size() < kHoursAtOnce; next += kHour) {
      calls.push_back(link_.data().send({"HGETALL", keys_.report(kind, next)}));
    }
    for (size_t i = 0; i < calls.size(); ++i) {
      RedisCall& call = calls[i];
      const auto reply = co_await call;
      if (!reply) co_return Error{"the store " + config_.url.to_string() + ": " + reply.error().message};
      if (reply->is_error() && reply->error_word() != "WRONGTYPE") co_return refusal(*reply);
      ReportRows rows = rows_of(*reply);
      const WallTime hour = first + static_cast<int>(i) * kHour;
      if (!rows.empty()) hours.push_back({hour, std::make_shared<const ReportRows>(std::move(rows))});
    }
  }
  co_return hours;
}

}  // namespace policyd
