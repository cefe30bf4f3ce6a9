#include "policyd/store/redis.h"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "policyd/async/loop.h"
#include "policyd/store/packed_numbers.h"
#include "policyd/store/redis_scripts.h"
#include "shared/duration.h"
#include "shared/text.h"

namespace policyd {

namespace {

constexpr Milliseconds kHeartbeat{1000};
constexpr Milliseconds kSilence{15'000};     // after which a node is not counted any more
constexpr Milliseconds kFirstRetry{100};
constexpr Milliseconds kLastRetry{1000};
constexpr Milliseconds kPatienceAtStart{3000};
constexpr Milliseconds kPatienceAtStop{5000};
constexpr Milliseconds kRememberNodes{60'000};
constexpr int kSweepMirror = 60;              // heartbeats
constexpr int kMostUnheard = 3;
constexpr size_t kMergeBatch = 256;
constexpr std::string_view kRememberMessage = "3600000";     // ms: from the last recipient to END-OF-MESSAGE
constexpr std::string_view kRememberEndedMessage = "60000";  // ms: several lists may ask at its end

// Seeded with what the client cannot know, so that it cannot make up recipients that look alike.
std::string hash_octets(const Charge& charge) {
  const uint64_t hash = stable_hash(charge.recipient, stable_hash(charge.instance));
  return std::string(reinterpret_cast<const char*>(&hash), sizeof hash);
}

// Errors of Redis as a whole, not of one command (facts on error replies: their first word is what is stable).
bool means_away(std::string_view word) {
  constexpr std::string_view kWords[] = {"LOADING", "READONLY", "OOM", "BUSY", "MISCONF", "MASTERDOWN", "NOREPLICAS",
                                         "CLUSTERDOWN", "NOAUTH", "NOPERM", "WRONGPASS", "UNKILLABLE"};
  return std::find(std::begin(kWords), std::end(kWords), word) != std::end(kWords);
}

ChargeResult to_result(const RedisReply& reply, const Limits& limits) {
  if (reply.kind != RedisReply::Kind::array || reply.elements.size() != 2) return {};
  ChargeResult result;
  result.passed = false;
  const auto index = static_cast<size_t>(reply.elements[0].integer);
  if (index < limits.size()) result.limit = limits[index];
  if (reply.elements[1].integer >= 0) result.retry_after = Milliseconds(reply.elements[1].integer);
  return result;
}

std::string to_json(const NodeInfo& node) {
  return nlohmann::json{{"name", node.name}, {"version", node.version}, {"uptime", node.uptime_seconds},
                        {"requests", node.requests}}
      .dump(-1, ' ', true, nlohmann::json::error_handler_t::replace);
}

NodeInfo to_node(const std::string& id, const std::string& text) {
  NodeInfo node;
  node.id = id;
  const size_t bar = std::min(text.find('|'), text.size());
  node.seen = WallTime(Milliseconds(std::strtoll(text.c_str(), nullptr, 10)));
  const auto json = nlohmann::json::parse(text.substr(std::min(bar + 1, text.size())), nullptr, false);
  if (!json.is_object()) return node;
  const auto number = [&json](const char* key) {
    return json.contains(key) && json[key].is_number() ? json[key].get<int64_t>() : 0;
  };
  const auto string = [&json](const char* key) {
    return json.contains(key) && json[key].is_string() ? json[key].get<std::string>() : std::string();
  };
  node.name = string("name");
  node.version = string("version");
  node.uptime_seconds = number("uptime");
  node.requests = number("requests");
  return node;
}

}  // namespace

RedisStore::RedisStore(uv_loop_s* loop, const Clock& clock, Mirror& mirror, const Config::Store& config, Self self)
    : loop_(loop),
      clock_(clock),
      mirror_(mirror),
      config_(config),
      self_(std::move(self)),
      keys_(config.prefix),
      follower_(loop, clock, mirror, keys_),
      retry_(loop, [this] {
        connecting_.emplace(connect());
        connecting_->start();
      }),
      heartbeat_(loop, [this] { on_beat(); }) {}

RedisStore::~RedisStore() {
  stopping_ = true;
  // What waits goes first, then what it waits for.
  connecting_.reset();
  beating_task_.reset();
  follower_.detach();
  data_.reset();
  changes_.reset();
}

Result<void> RedisStore::start() {
  away_since_ = clock_.steady();
  nodes_ = {self_()};
  heartbeat_.every(kHeartbeat);
  connecting_.emplace(connect());
  connecting_->start();
  const SteadyTime patience = clock_.steady() + kPatienceAtStart;
  run_loop_until(loop_, [&] { return (available_ && follower_.loaded()) || clock_.steady() >= patience || retry_.active(); });
  if (!available_) {
    spdlog::error("store {}: away: {}; blocks are not known yet, and limits are enforced on this node alone, until it is back",
                  config_.url.to_string(), reason_);
  }
  return {};
}

Task<void> RedisStore::stop() {
  stopping_ = true;
  heartbeat_.stop();
  retry_.stop();
  const SteadyTime patience = clock_.steady() + kPatienceAtStop;
  bool merged = connected_ && !merging_;
  while (merged && share_.pending() > 0 && clock_.steady() < patience) {
    const auto merging = merge(kMergeBatch);
    merged = co_await merging;
  }
  if (share_.pending() > 0) {
    spdlog::error("store {}: {} charges counted on this node alone could not be merged", config_.url.to_string(), share_.pending());
  }
  if (!available_) co_return;
  auto call = data_->send({"HDEL", keys_.nodes(), self_().id});
  co_await call;
}

Task<void> RedisStore::connect() {
  const auto establishing = establish();
  const auto established = co_await establishing;
  if (stopping_) co_return;
  if (!established) {
    went_away(established.error().message);
    reconnect_later();
  }
}

Task<Result<void>> RedisStore::establish() {
  connected_ = false;
  const auto lost = [this](const std::string& reason) {
    if (!connected_) return;  // establish() itself sees it
    connected_ = false;
    went_away(reason);
    reconnect_later();
  };
  const auto told = [this](const RedisReply& payload) { on_message(payload); };
  follower_.detach();
  data_ = std::make_unique<RedisConnection>(loop_, config_.url, config_.timeout, RedisConnection::Events{lost, {}});
  changes_ = std::make_unique<RedisConnection>(loop_, config_.url, config_.timeout, RedisConnection::Events{lost, told});
  for (RedisConnection* connection : {data_.get(), changes_.get()}) {
    const auto opening = connection->open();
    if (auto opened = co_await opening; !opened) co_return opened;
  }
  auto id_call = changes_->send({"CLIENT", "ID"});
  auto id = co_await id_call;
  if (!id) co_return id.error();
  if (id->is_error()) co_return Error{"CLIENT ID is refused: " + id->text};
  const auto subscribing = changes_->subscribe("__redis__:invalidate");
  if (auto subscribed = co_await subscribing; !subscribed) co_return subscribed;
  auto tracking_call = data_->send({"CLIENT", "TRACKING", "ON", "REDIRECT", std::to_string(id->integer), "BCAST", "PREFIX",
                                    keys_.blocks(), "PREFIX", keys_.accounts(), "PREFIX", keys_.nodes()});
  auto tracking = co_await tracking_call;
  if (!tracking) co_return tracking.error();
  if (tracking->is_error()) co_return Error{"CLIENT TRACKING is refused: " + tracking->text};
  const auto loading = load_scripts();
  if (auto loaded = co_await loading; !loaded) co_return loaded;
  if (!data_->alive() || !changes_->alive()) co_return Error{"a connection was lost while the other was made"};
  connected_ = true;
  unheard_ = 0;
  retry_in_ = Milliseconds{0};
  follower_.attach(*data_);
  on_beat();
  co_return Result<void>();
}

Task<Result<void>> RedisStore::load_scripts() {
  for (const auto& [source, sha] : {std::pair{kChargeScript, &charge_sha_}, std::pair{kHeartbeatScript, &heartbeat_sha_}}) {
    auto call = data_->send({"SCRIPT", "LOAD", source});
    auto reply = co_await call;
    if (!reply) co_return reply.error();
    if (reply->is_error()) co_return Error{"SCRIPT LOAD is refused: " + reply->text};
    *sha = reply->text;
  }
  co_return Result<void>();
}

void RedisStore::on_beat() {
  share_.sweep(clock_.wall());
  if (++beats_ % kSweepMirror == 0) mirror_.sweep();
  if (!connected_ || beating_) return;
  beating_task_.emplace(beat_and_recover());
  beating_task_->start();
}

Task<void> RedisStore::beat_and_recover() {
  beating_ = true;
  const auto beating = beat();
  const auto beaten = co_await beating;
  if (!beaten) went_away(beaten.error().message);
  if (beaten && connected_ && !available_ && !stopping_) {
    const auto recovering = recover();
    co_await recovering;
  }
  beating_ = false;
}

Task<Result<void>> RedisStore::beat() {
  const NodeInfo self = self_();
  const std::string silence = std::to_string(kSilence.count());
  auto call = data_->send({"EVALSHA", heartbeat_sha_, "1", keys_.nodes(), self.id, to_json(self), silence});
  auto reply = co_await call;
  if (!reply) co_return reply.error();
  if (reply->error_word() == "NOSCRIPT" && connected_) {
    const auto loading = load_scripts();
    co_return co_await loading;
  }
  if (reply->is_error()) co_return Error{reply->text};
  if (reply->elements.empty()) co_return Error{"the heartbeat was answered with nothing"};
  note_nodes(*reply);
  if (++unheard_ > kMostUnheard) {
    unheard_ = 0;
    connected_ = false;
    reconnect_later();
    co_return Error{"it does not tell of changes any more"};
  }
  co_return Result<void>();
}

void RedisStore::note_nodes(const RedisReply& reply) {
  redis_ahead_ = Milliseconds(reply.elements[0].integer) - clock_.wall().time_since_epoch();
  nodes_.clear();
  for (size_t i = 1; i + 1 < reply.elements.size(); i += 2) {
    nodes_.push_back(to_node(reply.elements[i].text, reply.elements[i + 1].text));
  }
  const SteadyTime now = clock_.steady();
  if (nodes_.size() < most_nodes_ && now - most_nodes_at_ < kRememberNodes) return;
  most_nodes_ = std::max<size_t>(nodes_.size(), 1);
  most_nodes_at_ = now;
}

// Redis answers and takes writes again: what was let through meanwhile is merged, all but the last bit before anybody asks it again.
Task<void> RedisStore::recover() {
  merging_ = true;
  const size_t to_merge = share_.pending();
  bool merged = true;
  while (merged && share_.pending() > kMergeBatch) {
    const auto merging = merge(kMergeBatch);
    merged = co_await merging;
  }
  if (merged && connected_) {
    available_ = true;
    const Milliseconds away = clock_.steady() - away_since_.value_or(clock_.steady());
    spdlog::info("store {}: available after {}; {} charges to merge; nodes: {}", config_.url.to_string(),
                 describe_duration(away), to_merge, nodes_.size());
    if (share_.dropped() > 0) spdlog::error("store {}: {} charges were too many to keep for the merge", config_.url.to_string(), share_.dropped());
    away_since_.reset();
    const auto merging = merge(share_.pending());
    co_await merging;
  }
  merging_ = false;
}

Task<bool> RedisStore::merge(size_t most) {
  std::vector<LocalShare::Entry> entries = share_.take(most);
  std::vector<RedisCall> calls;
  calls.reserve(entries.size());
  for (const auto& entry : entries) {
    const Charge charge = entry.charge();
    calls.push_back(send_charge(charge, entry.cancelled ? "cancel" : "merge", entry.at + redis_ahead_, false));
  }
  std::vector<LocalShare::Entry> failed;
  for (size_t i = 0; i < entries.size(); ++i) {
    RedisCall& call = calls[i];
    auto reply = co_await call;
    const bool scripts_gone = reply && reply->is_error() && reply->error_word() == "NOSCRIPT";
    if (scripts_gone || judge(reply) == Answer::away) failed.push_back(std::move(entries[i]));
  }
  const bool merged = failed.empty();
  if (!merged) share_.put_back(std::move(failed));
  co_return merged;
}

// What an answer says of the store. A charge that Redis cannot count for a reason of its own (a key that somebody wrote another type
// to) is no reason to send the store away for everybody.
RedisStore::Answer RedisStore::judge(const Result<RedisReply>& reply) {
  if (reply && !reply->is_error()) return Answer::counted;
  if (reply && !means_away(reply->error_word())) {
    if (broken_++ == 0) {
      spdlog::error("store {}: a charge could not be counted and was decided on this node alone: {}; further ones are not logged",
                    config_.url.to_string(), reply->text);
    }
    return Answer::broken;
  }
  if (reply) went_away(reply->text);
  return Answer::away;
}

RedisCall RedisStore::send_charge(const Charge& charge, std::string_view mode, WallTime at, bool with_source) {
  const bool recipient = charge.kind == Charge::Kind::recipient;
  const std::string rate = keys_.rate(charge.account);
  const std::string message = charge.instance.empty() ? "" : keys_.message(charge.account, charge.instance);
  const std::string limits = pack_limits(*charge.limits);
  const std::string hash = hash_octets(charge);
  const std::string recipients = std::to_string(charge.recipients), bytes = std::to_string(charge.bytes);
  const std::string time = std::to_string(at.time_since_epoch().count());
  std::array<std::string_view, 13> command;
  size_t n = 0;
  command[n++] = with_source ? "EVAL" : "EVALSHA";
  command[n++] = with_source ? kChargeScript : std::string_view(charge_sha_);
  command[n++] = message.empty() ? "1" : "2";
  command[n++] = rate;
  if (!message.empty()) command[n++] = message;
  for (const std::string_view argument :
       {recipient ? std::string_view("recipient") : std::string_view("settle"), std::string_view(limits),
        std::string_view(hash), std::string_view(recipients), std::string_view(bytes), mode, std::string_view(time),
        charge.ended ? kRememberEndedMessage : kRememberMessage}) {
    command[n++] = argument;
  }
  return data_->send(std::span<const std::string_view>(command.data(), n));
}

Task<ChargeResult> RedisStore::charge(const Charge& charge) {
  const std::string_view mode = charge.dry_run ? "dry" : "";
  if (available_) {
    auto call = send_charge(charge, mode, WallTime{}, false);
    auto reply = co_await call;
    if (reply && reply->is_error() && reply->error_word() == "NOSCRIPT" && available_) {
      auto again = send_charge(charge, mode, WallTime{}, true);
      reply = co_await again;
    }
    const Answer answer = judge(reply);
    if (answer == Answer::counted) co_return to_result(*reply, *charge.limits);
    if (answer == Answer::broken) co_return share_.charge_unmerged(charge, most_nodes_, clock_.wall());
  }
  co_return share_.charge(charge, most_nodes_, clock_.wall());
}

void RedisStore::went_away(const std::string& reason) {
  reason_ = reason.substr(0, reason.find(" script: "));
  if (!available_) return;
  available_ = false;
  away_since_ = clock_.steady();
  spdlog::error("store {}: away: {}; blocks stay in force and limits are enforced on this node at 1/{} until it is back",
                config_.url.to_string(), reason_, most_nodes_);
}

// Connections are made anew from the timer, so that none is destroyed from within one of its own callbacks.
void RedisStore::reconnect_later() {
  if (stopping_) return;
  follower_.detach();
  retry_in_ = std::clamp(retry_in_ * 2, kFirstRetry, kLastRetry);
  retry_.once(retry_in_);
}

void RedisStore::on_message(const RedisReply& payload) {
  RedisReply changes;
  changes.kind = payload.kind;
  const std::string nodes = keys_.nodes();
  for (const RedisReply& key : payload.elements) {
    if (key.text == nodes) {
      unheard_ = 0;
    } else {
      changes.elements.push_back(key);
    }
  }
  if (payload.kind != RedisReply::Kind::array || !changes.elements.empty()) follower_.invalidated(changes);
}

}  // namespace policyd
