// What operators ask of the Redis store: blocks, settings, usage, nodes. None of it is on the way of a decision.

#include "policyd/store/packed_numbers.h"
#include "policyd/store/redis.h"
#include "policyd/store/redis_scripts.h"
#include "shared/log_line.h"
#include "shared/text.h"

namespace policyd {

namespace {

constexpr size_t kMostWarnings = 1000;  // remembered, so that each is told once

}  // namespace

Error RedisStore::away_error() const {
  return Error{"the store " + config_.url.to_string() + " is away: " + link_.reason() + "; nothing was changed"};
}

Error RedisStore::refusal(const RedisReply& reply) const {
  return Error{"the store " + config_.url.to_string() + " refuses: " + reply.text};
}

Task<Result<RedisReply>> RedisStore::exchange(std::vector<std::string> command) {
  if (link_.state() == RedisLink::State::down) co_return away_error();
  const std::vector<std::string_view> arguments(command.begin(), command.end());
  auto call = link_.data().send(arguments);
  auto reply = co_await call;
  if (!reply) co_return Error{"the store " + config_.url.to_string() + ": " + reply.error().message};
  co_return reply;
}

Task<Result<RedisReply>> RedisStore::ask(std::vector<std::string> command) {
  const auto exchanging = exchange(std::move(command));
  auto reply = co_await exchanging;
  if (reply && reply->is_error()) co_return refusal(*reply);
  co_return reply;
}

Task<Result<void>> RedisStore::put_block(Block block) {
  Milliseconds left{0};
  if (block.expires) left = std::max(*block.expires - clock_.wall(), Milliseconds{1});
  std::vector<std::string> command{"EVAL", std::string(kPutBlockScript), "1", keys_.block(block.target),
                                   std::to_string(left.count())};
  for (const auto& [field, value] : block.fields()) {
    command.push_back(field);
    command.push_back(value);
  }
  const auto asking = ask(std::move(command));
  if (auto reply = co_await asking; !reply) co_return reply.error();
  mirror_.put_block(std::move(block));
  co_return Result<void>();
}

Task<Result<bool>> RedisStore::remove_block(BlockTarget target) {
  std::vector<std::string> command{"DEL", keys_.block(target)};
  for (auto& alias : follower_.aliases(keys_.block(target))) command.push_back(std::move(alias));
  const auto asking = ask(std::move(command));
  auto reply = co_await asking;
  if (!reply) co_return reply.error();
  mirror_.remove_block(target);
  co_return reply->integer > 0;
}

Task<Result<void>> RedisStore::put_setting(std::string account, std::string key, std::string value) {
  std::vector<std::string> command{"HSET", keys_.account(account), key, value};
  const auto asking = ask(std::move(command));
  if (auto reply = co_await asking; !reply) co_return reply.error();
  const AccountSettings* known = mirror_.settings(account);
  AccountSettings settings = known ? *known : AccountSettings{};
  if (auto set = settings.set(key, value); !set) co_return set;
  mirror_.put_settings(account, std::move(settings));
  co_return Result<void>();
}

Task<Result<bool>> RedisStore::remove_setting(std::string account, std::string key) {
  std::vector<std::string> command{"HDEL", keys_.account(account), key};
  const auto asking = ask(std::move(command));
  auto reply = co_await asking;
  if (!reply) co_return reply.error();
  const AccountSettings* known = mirror_.settings(account);
  if (known && reply->integer > 0) {
    auto fields = known->to_map();
    fields.erase(key);
    AccountSettings settings;
    for (const auto& [field, value] : fields) {
      if (auto set = settings.set(field, value); !set) co_return set.error();
    }
    fields.empty() ? mirror_.remove_settings(account) : mirror_.put_settings(account, std::move(settings));
  }
  co_return reply->integer > 0;
}

Task<Result<Store::AccountPage>> RedisStore::list_usage(size_t limit) {
  AccountPage page;
  std::set<std::string> listed;  // SCAN may tell a key twice
  std::string cursor = "0";
  do {
    std::vector<std::string> scan{"SCAN", cursor, "MATCH", keys_.rates_pattern(), "COUNT", "1000"};
    const auto scanning = ask(std::move(scan));
    auto reply = co_await scanning;
    if (!reply) co_return reply.error();
    if (reply->elements.size() != 2) co_return Error{"SCAN was answered with nothing"};
    cursor = reply->elements[0].text;
    for (const RedisReply& key : reply->elements[1].elements) {
      const auto account = keys_.parse_rate(key.text);
      if (!account || !listed.insert(*account).second) continue;
      if (page.accounts.size() == limit) {
        page.more = true;
        co_return page;
      }
      const auto asking = usage(*account);
      auto used = co_await asking;
      if (!used) co_return used.error();
      if (!used->usage.empty()) page.accounts.push_back(*std::move(used));
    }
  } while (cursor != "0");
  co_return page;
}

// What is no string, or of another form, counts as nothing, as it does for a charge.
Task<Result<AccountUsage>> RedisStore::usage(std::string account) {
  const std::string key = keys_.rate(account);
  std::vector<std::string> get{"GET", key};
  const auto exchanging = exchange(std::move(get));
  auto reply = co_await exchanging;
  if (!reply) co_return reply.error();
  const bool wrong_type = reply->is_error() && reply->error_word() == "WRONGTYPE";
  if (reply->is_error() && !wrong_type) co_return refusal(*reply);
  const auto counters = wrong_type ? std::nullopt : unpack_counters(reply->text);
  if (!counters) {
    warn_unreadable(key);
    co_return AccountUsage{std::move(account), {}};
  }
  AccountUsage used{std::move(account), counters->usage(clock_.wall() + link_.nodes().redis_ahead())};
  co_return used;
}

void RedisStore::warn_unreadable(const std::string& key) {
  if (unreadable_.size() >= kMostWarnings || !unreadable_.insert(key).second) return;
  log_warning("Redis key {}: it holds no counters of policyd; taken for empty", policyd::quoted(key));
}

Task<Result<bool>> RedisStore::reset_usage(std::string account) {
  std::vector<std::string> del{"DEL", keys_.rate(account), keys_.seen(account)};
  const auto asking = ask(std::move(del));
  auto reply = co_await asking;
  if (!reply) co_return reply.error();
  co_return reply->integer > 0;
}

// What this node has claimed alone stays claimed. An answer that did not come may have claimed it: rather twice than
// never.
Task<bool> RedisStore::claim(std::string what, Milliseconds duration) {
  if (claims_.taken(what, clock_.wall())) co_return false;
  if (link_.serving()) {
    std::vector<std::string> set{"SET",  keys_.claim(what), self_().id, "NX", "PX",
                                 std::to_string(duration.count())};
    const auto asking = ask(std::move(set));
    const auto reply = co_await asking;
    if (reply) co_return reply->kind != RedisReply::Kind::nil;
  }
  co_return claims_.claim(what, duration, clock_.wall());
}

Task<Result<std::vector<NodeInfo>>> RedisStore::nodes() {
  if (!link_.serving()) co_return std::vector<NodeInfo>{self_()};
  co_return link_.nodes().list();
}

StoreStatus RedisStore::status() const {
  const size_t nodes = link_.nodes().list().size();
  StoreStatus status;
  status.url = config_.url.to_string();
  status.available = link_.serving();
  status.detail = "away: " + link_.reason();
  if (status.available) status.detail = "shared by " + std::to_string(nodes) + (nodes == 1 ? " node" : " nodes");
  status.pending_merge = static_cast<int64_t>(pending());
  status.uncounted = static_cast<int64_t>(charges_.broken());
  return status;
}

}  // namespace policyd
