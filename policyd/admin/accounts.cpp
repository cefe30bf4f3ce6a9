// Accounts in the admin API: who has sent how much of what is allowed, and which settings say so.
//
// Settings belong to an account, a domain or "default"; all three are named in the same place of
// the path. An account need not have sent anything to be shown: the limits that it would meet are
// known, and so is the account that its mail is charged to.
#include <algorithm>

#include "policyd/admin/account_name.h"
#include "policyd/admin/audit.h"
#include "policyd/admin/block_json.h"
#include "policyd/admin/limit_json.h"
#include "policyd/admin/lock_json.h"
#include "policyd/admin/query.h"
#include "policyd/admin/resources.h"
#include "policyd/subject.h"
#include "shared/displayable.h"
#include "shared/duration.h"
#include "shared/text.h"

namespace policyd {

namespace {

constexpr size_t kListed = 100;

int64_t used_of(const AccountUsage& usage, const Limit& limit) {
  for (const Usage& one : usage.usage) {
    if (one.meter == limit.meter && one.window == limit.window) return one.used;
  }
  return 0;
}

Json limits_json(const AccountUsage& usage, const AccountPolicy& policy) {
  Json list = Json::array();
  for (const Limits* limits : {&policy.limits, &policy.signs}) {
    for (const Limit& limit : *limits) list.push_back(limit_to_json(limit, used_of(usage, limit)));
  }
  return list;
}

// How much of its tightest limit an account has used; 1 is all.
double fullness(const AccountUsage& usage, const AccountPolicy& policy) {
  double fullest = 0;
  for (const Limits* limits : {&policy.limits, &policy.signs}) {
    for (const Limit& limit : *limits) {
      const auto maximum = static_cast<double>(std::max<int64_t>(limit.maximum, 1));
      fullest = std::max(fullest, static_cast<double>(used_of(usage, limit)) / maximum);
    }
  }
  return fullest;
}

struct ListedAccount {
  AccountUsage usage;
  std::shared_ptr<const AccountPolicy> policy;
};

// Those nearest to a limit first.
Json accounts_json(const std::vector<ListedAccount>& accounts, bool more) {
  std::vector<std::pair<double, const ListedAccount*>> order;
  for (const ListedAccount& one : accounts)
    order.emplace_back(-fullness(one.usage, *one.policy), &one);
  std::sort(order.begin(), order.end(), [](const auto& left, const auto& right) {
    return std::tie(left.first, left.second->usage.account) <
           std::tie(right.first, right.second->usage.account);
  });
  Json list = Json::array();
  for (const auto& [rank, one] : order) {
    list.push_back({{"account", one->usage.account},
                    {"limits", limits_json(one->usage, *one->policy)}});
  }
  return {{"accounts", std::move(list)}, {"more", more}};
}

// An Error that lists the keys there are, if `key` is none of them.
Result<void> check_key(std::string_view key) {
  const auto& rows = setting_rows();
  if (std::any_of(rows.begin(), rows.end(), [&](const SettingRow& row) { return row.key == key; }))
    return {};
  AccountSettings none;
  return none.set(key, {});
}

// Each setting in force, with the place that it comes from: {"messages": {"value", "from":
// "default", "source": "file"}}.
Json settings_json(const Engine& engine, const std::string& account) {
  Json settings = Json::object();
  const auto layers = engine.policies().layers(account);
  for (const SettingRow& row : setting_rows()) {
    const std::string key(row.key);
    for (const auto& layer : layers) {
      const auto values = layer.settings->to_map();
      const auto value = values.find(key);
      if (value == values.end()) continue;
      settings[key] = {{"value", value->second},
                       {"from", layer.name},
                       {"source", layer.from_store ? "store" : "file"}};
      break;
    }
  }
  return settings;
}

// Blocks that the account itself is named in; others may cover its mail for other reasons.
Json blocks_json(const Mirror& mirror, const std::string& account) {
  Json blocks = Json::array();
  const std::string domain(domain_of(account));
  const BlockTarget targets[] = {
      {BlockType::account, account}, {BlockType::email, account}, {BlockType::domain, domain}};
  for (const BlockTarget& target : targets) {
    if (const Block* block = mirror.find(target)) blocks.push_back(block_to_json(*block));
  }
  return blocks;
}

Json lock_json(const Mirror& mirror, const std::string& account) {
  const Lock* const lock = mirror.lock(account);
  return lock ? lock_to_json(*lock) : Json();
}

// Whom the account's mail is charged to; null where that hangs on the client's network.
Json charged_json(const AdminContext& context, const std::string& account) {
  const auto charged = charged_account(account, context.engine.config());
  if (!charged) return {{"account", nullptr}, {"lock", nullptr}};
  return {{"account", *charged}, {"lock", lock_json(context.mirror, *charged)}};
}

// "; its mail is charged to ...", where that is another account.
std::string charged_elsewhere(const std::string& account, const Config& config) {
  const auto charged = charged_account(account, config);
  if (charged == account) return {};
  return "; its mail is charged to " + (charged ? displayable_name(*charged) : "the client's network");
}

}  // namespace

Task<ApiAnswer> list_accounts(const AdminContext& context, const ApiRequest& request) {
  const Result<size_t> limit = limit_of(request, kListed);
  if (!limit) co_return refusal(400, limit.error().message);
  const auto listing = context.store.list_usage(*limit);
  Result<Store::AccountPage> page = co_await listing;
  if (!page) co_return refusal(503, page.error().message);
  std::vector<ListedAccount> accounts;
  accounts.reserve(page->accounts.size());
  for (AccountUsage& usage : page->accounts) {
    auto policy = context.engine.policy(usage.account);
    accounts.push_back({std::move(usage), std::move(policy)});
  }
  ApiAnswer listed{200, [accounts = std::move(accounts), more = page->more] {
                     return accounts_json(accounts, more);
                   }};
  co_return listed;
}

// Those that this node knows to be busy are asked for one by one, however many others there are: a question each, and
// between two of them the loop does what it has to.
Task<ApiAnswer> list_busiest(const AdminContext& context, const ApiRequest& request) {
  const Result<size_t> limit = limit_of(request, kListed);
  if (!limit) co_return refusal(400, limit.error().message);
  std::vector<ListedAccount> accounts;
  for (std::string& name : context.engine.busy_accounts().busiest(*limit, context.clock.steady())) {
    const auto asking = context.store.usage(name);
    Result<AccountUsage> usage = co_await asking;
    if (!usage) co_return refusal(503, usage.error().message);
    auto policy = context.engine.policy(name);
    accounts.push_back({*std::move(usage), std::move(policy)});
  }
  ApiAnswer listed{200, [accounts = std::move(accounts), node = context.node] {
                     Json body = accounts_json(accounts, false);
                     body["node"] = node;
                     return body;
                   }};
  co_return listed;
}

Task<ApiAnswer> get_account(const AdminContext& context, const ApiRequest& request) {
  const Result<std::string> name = account_name(request.path[0]);
  if (!name) co_return refusal(400, name.error().message);
  const auto asking = context.store.usage(*name);
  const Result<AccountUsage> usage = co_await asking;
  if (!usage) co_return refusal(503, usage.error().message);
  const auto remembering = context.store.lock_history(*name);
  const Result<std::vector<LockEvent>> history = co_await remembering;
  if (!history) co_return refusal(503, history.error().message);
  const auto policy = context.engine.policy(*name);
  Json body = {{"account", *name}};
  body["limits"] = limits_json(*usage, *policy);
  body["on_limit"] = on_limit_name(policy->on_limit);
  body["settings"] = settings_json(context.engine, *name);
  body["blocks"] = blocks_json(context.mirror, *name);
  body["lock"] = lock_json(context.mirror, *name);
  body["charged"] = charged_json(context, *name);
  Json& events = body["lock_history"] = Json::array();
  for (const LockEvent& event : *history) events.push_back(lock_event_to_json(event));
  co_return answer(std::move(body));
}

Task<ApiAnswer> reset_account(const AdminContext& context, const ApiRequest& request) {
  const Result<std::string> name = account_name(request.path[0]);
  if (!name) co_return refusal(400, name.error().message);
  const auto resetting = context.store.reset_usage(*name);
  const Result<bool> reset = co_await resetting;
  if (!reset) co_return refusal(503, reset.error().message);
  if (!*reset) {
    co_return refusal(404, "nothing is counted for the account " + displayable_name(*name) +
                               charged_elsewhere(*name, context.engine.config()));
  }
  log_change("account=" + policyd::quoted(*name) + " reset");
  Json body = {{"account", *name}, {"reset", true}};
  co_return answer(std::move(body));
}

Task<ApiAnswer> put_setting(const AdminContext& context, const ApiRequest& request) {
  const Result<std::string> name = settings_name(request.path[0]);
  if (!name) co_return refusal(400, name.error().message);
  const std::string& key = request.path[1];
  const auto value = request.json.find("value");
  const auto* text = value == request.json.end() ? nullptr : value->get_ptr<const std::string*>();
  if (!text) co_return refusal(400, "value: expected a text, e.g. {\"value\": \"60/1m\"}");
  AccountSettings settings;
  if (const auto set = settings.set(key, *text); !set) co_return refusal(400, set.error().message);
  const std::string written = settings.to_map().at(key);
  const auto putting = context.store.put_setting(*name, key, written);
  const Result<void> put = co_await putting;
  if (!put) co_return refusal(503, put.error().message);
  log_change("account=" + policyd::quoted(*name) + " " + key + "=" + policyd::quoted(written));
  Json body = {{"account", *name}, {"key", key}, {"value", written}};
  co_return answer(std::move(body));
}

Task<ApiAnswer> delete_setting(const AdminContext& context, const ApiRequest& request) {
  const Result<std::string> name = settings_name(request.path[0]);
  if (!name) co_return refusal(400, name.error().message);
  const std::string& key = request.path[1];
  if (const auto known = check_key(key); !known) co_return refusal(400, known.error().message);
  const auto removing = context.store.remove_setting(*name, key);
  const Result<bool> removed = co_await removing;
  if (!removed) co_return refusal(503, removed.error().message);
  if (!*removed) co_return refusal(404, displayable_name(*name) + " has no override of " + key);
  log_change("account=" + policyd::quoted(*name) + " " + key + " lifted");
  Json body = {{"account", *name}, {"key", key}, {"removed", true}};
  co_return answer(std::move(body));
}

}  // namespace policyd
