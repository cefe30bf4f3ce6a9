// The journal in the Redis store: rows are added by a script, a batch in one round trip, and read page by page. None of
// it is on the way of a decision.
#include "policyd/store/redis.h"
#include "policyd/store/redis_scripts.h"

namespace policyd {

namespace {

// Of fields and values; nothing where they are not policyd's.
std::optional<JournalRow> row_of(const std::vector<RedisReply>& fields) {
  JournalRow row;
  std::optional<JournalId> id;
  for (size_t at = 0; at + 1 < fields.size(); at += 2) {
    const std::string& name = fields[at].text;
    if (name == "id") id = JournalId::parse(fields[at + 1].text);
    if (name == "node") row.node = fields[at + 1].text;
    if (name == "entry") row.text = fields[at + 1].text;
  }
  if (!id) return std::nullopt;
  row.id = *id;
  return row;
}

}  // namespace

Task<Result<void>> RedisStore::add_journal(JournalBatch batch) {
  if (!link_.serving()) co_return away_error();
  std::vector<std::string> command{"EVAL",
                                   std::string(kAddJournalScript),
                                   "1",
                                   keys_.journal(),
                                   std::to_string(batch.most),
                                   std::to_string(batch.keep.count())};
  command.reserve(command.size() + 3 * batch.rows.size());
  for (JournalRow& row : batch.rows) {
    command.push_back(row.id.to_string());
    command.push_back(std::move(row.node));
    command.push_back(std::move(row.text));
  }
  const auto asking = ask(std::move(command));
  const auto reply = co_await asking;
  if (!reply) co_return reply.error();
  co_return Result<void>();
}

// What somebody else wrote there is left out.
Task<Result<JournalPage>> RedisStore::journal(JournalRange range) {
  if (!link_.serving()) co_return away_error();
  const std::string from = range.from.to_string(), to = range.to.to_string();
  std::vector<std::string> command{range.newest_first ? "XREVRANGE" : "XRANGE", keys_.journal(),
                                   range.newest_first ? to : from,              range.newest_first ? from : to,
                                   "COUNT",                                     std::to_string(range.most)};
  const auto exchanging = exchange(std::move(command));
  const auto reply = co_await exchanging;
  if (!reply) co_return reply.error();
  if (reply->is_error() && reply->error_word() != "WRONGTYPE") co_return refusal(*reply);
  JournalPage page;
  page.rows.reserve(reply->elements.size());
  for (const RedisReply& entry : reply->elements) {
    const auto place = entry.elements.size() == 2 ? JournalPlace::parse(entry.elements[0].text) : std::nullopt;
    if (!place) co_return Error{"XRANGE was answered with something else"};
    page.last = *place;
    if (auto row = row_of(entry.elements[1].elements)) page.rows.push_back({*place, *std::move(row)});
  }
  page.more = reply->elements.size() == range.most;
  co_return page;
}

}  // namespace policyd
