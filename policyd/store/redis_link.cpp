#include "policyd/store/redis_link.h"

#include <algorithm>

#include "policyd/store/redis_scripts.h"
#include "shared/duration.h"
#include "shared/log_line.h"

namespace policyd {

namespace {

constexpr Milliseconds kHeartbeat{1000};
constexpr Milliseconds kSilence{15'000};  // after which a node is not counted any more
constexpr Milliseconds kFirstRetry{100};
constexpr Milliseconds kLastRetry{1000};
constexpr int kMostUnheard = 3;

}  // namespace

RedisLink::RedisLink(uv_loop_s* loop, const Clock& clock, const Config::Store& config, const Keys& keys, User& user)
    : loop_(loop),
      clock_(clock),
      config_(config),
      keys_(keys),
      user_(user),
      retry_(loop, [this] { connect_now(); }),
      heartbeat_(loop, [this] { on_beat(); }) {}

RedisLink::~RedisLink() { close(); }

void RedisLink::start() {
  away_since_ = clock_.steady();
  nodes_ = RedisNodes(user_.self());
  heartbeat_.every(kHeartbeat);
  connect_now();
}

void RedisLink::stop() {
  stopping_ = true;
  heartbeat_.stop();
  retry_.stop();
}

void RedisLink::close() {
  stop();
  connecting_.reset();
  beating_.reset();
  recovering_.reset();
  data_.reset();
  changes_.reset();
}

// The one place where the state changes.
void RedisLink::enter(State next, const std::string& note) {
  const bool served = serving();
  state_ = next;
  if (!serving()) reason_ = note.substr(0, note.find(" script: "));
  if (served && !serving()) {
    away_since_ = clock_.steady();
    log_error("store {}: away: {}; blocks stay in force and limits are enforced on this node at 1/{} "
              "until it is back",
              config_.url.to_string(), reason_, nodes_.most());
  } else if (!served && serving()) {
    log_info("store {}: available after {}; {}; nodes: {}", config_.url.to_string(),
             describe_duration(clock_.steady() - away_since_), note, nodes_.list().size());
  }
}

void RedisLink::refused(const std::string& reason) { enter(std::min(state_, State::open), reason); }

void RedisLink::lost(const std::string& reason) {
  if (state_ == State::down) return;  // establish() itself sees it
  enter(State::down, reason);
  reconnect_later();
}

// Connections are made anew from the timer, so that none is destroyed from within one of its own callbacks.
void RedisLink::reconnect_later() {
  if (stopping_) return;
  user_.closed();
  retry_in_ = std::clamp(retry_in_ * 2, kFirstRetry, kLastRetry);
  retry_.once(retry_in_);
}

void RedisLink::connect_now() {
  connecting_.emplace(connect());
  connecting_->start();
}

Task<void> RedisLink::connect() {
  const auto establishing = establish();
  const auto established = co_await establishing;
  if (stopping_) co_return;
  if (established) {
    enter(State::open, reason_);
    unheard_ = 0;
    retry_in_ = Milliseconds{0};
    user_.opened(*data_, charge_sha_);
    on_beat();
  } else {
    enter(State::down, established.error().message);
    reconnect_later();
  }
}

Task<Result<void>> RedisLink::establish() {
  const auto on_loss = [this](const std::string& reason) { lost(reason); };
  RedisConnection::Events on_data{on_loss, {}, [this] { user_.end_of_turn(); }};
  RedisConnection::Events on_changes{on_loss, [this](const RedisReply& payload) { on_message(payload); }, {}};
  data_ = std::make_unique<RedisConnection>(loop_, config_.url, config_.timeout, std::move(on_data));
  changes_ = std::make_unique<RedisConnection>(loop_, config_.url, config_.timeout, std::move(on_changes));
  for (RedisConnection* connection : {data_.get(), changes_.get()}) {
    const auto opening = connection->open();
    if (auto opened = co_await opening; !opened) co_return opened;
  }
  const auto following = follow_changes();
  if (auto followed = co_await following; !followed) co_return followed;
  const auto loading = load_scripts();
  if (auto loaded = co_await loading; !loaded) co_return loaded;
  if (!data_->alive() || !changes_->alive()) co_return Error{"a connection was lost while the other was made"};
  co_return Result<void>();
}

Task<Result<void>> RedisLink::follow_changes() {
  auto id_call = changes_->send({"CLIENT", "ID"});
  auto id = co_await id_call;
  if (!id) co_return id.error();
  if (id->is_error()) co_return Error{"CLIENT ID is refused: " + id->text};
  const auto subscribing = changes_->subscribe("__redis__:invalidate");
  if (auto subscribed = co_await subscribing; !subscribed) co_return subscribed;
  auto tracking_call =
      data_->send({"CLIENT", "TRACKING", "ON", "REDIRECT", std::to_string(id->integer), "BCAST", "PREFIX",
                   keys_.blocks(), "PREFIX", keys_.accounts(), "PREFIX", keys_.locks(), "PREFIX", keys_.nodes()});
  auto tracking = co_await tracking_call;
  if (!tracking) co_return tracking.error();
  if (tracking->is_error()) co_return Error{"CLIENT TRACKING is refused: " + tracking->text};
  co_return Result<void>();
}

Task<Result<void>> RedisLink::load_scripts() {
  const std::pair<std::string_view, std::string*> scripts[] = {{kChargeScript, &charge_sha_},
                                                               {kHeartbeatScript, &heartbeat_sha_}};
  for (const auto& [source, sha] : scripts) {
    auto call = data_->send({"SCRIPT", "LOAD", source});
    auto reply = co_await call;
    if (!reply) co_return reply.error();
    if (reply->is_error()) co_return Error{"SCRIPT LOAD is refused: " + reply->text};
    *sha = reply->text;
  }
  co_return Result<void>();
}

void RedisLink::on_beat() {
  user_.beat();
  if (state_ == State::down || (beating_ && !beating_->done())) return;
  beating_.emplace(beat());
  beating_->start();
}

Task<void> RedisLink::beat() {
  const auto sending = send_heartbeat();
  const auto sent = co_await sending;
  if (!sent) {
    refused(sent.error().message);
  } else if (state_ == State::open && !stopping_) {
    start_recovery();
  }
}

Task<Result<void>> RedisLink::send_heartbeat() {
  const auto asking = ask_heartbeat();
  auto reply = co_await asking;
  if (reply && reply->error_word() == "NOSCRIPT" && state_ != State::down) {
    const auto loading = load_scripts();
    if (auto loaded = co_await loading; !loaded) co_return loaded;
    const auto asking_again = ask_heartbeat();
    reply = co_await asking_again;
  }
  if (!reply) co_return reply.error();
  if (reply->is_error()) co_return Error{reply->text};
  if (!nodes_.note(*reply, clock_)) co_return Error{"the heartbeat was not answered with a time"};
  if (++unheard_ > kMostUnheard) {
    const std::string deaf = "it does not tell of changes any more";
    lost(deaf);
    co_return Error{deaf};
  }
  co_return Result<void>();
}

Task<Result<RedisReply>> RedisLink::ask_heartbeat() {
  const NodeInfo self = user_.self();
  const std::string silence = std::to_string(kSilence.count());
  auto call = data_->send({"EVALSHA", heartbeat_sha_, "2", keys_.nodes(), keys_.elements(), self.id,
                           RedisNodes::to_json(self), silence, nodes_.elements_octets()});
  co_return co_await call;
}

// A task of its own: the heartbeat goes on meanwhile. One that was begun before Redis was away again may still be
// ending; then the next heartbeat begins another one.
void RedisLink::start_recovery() {
  if (recovering()) return;
  recovering_.emplace(recover());
  recovering_->start();
}

Task<void> RedisLink::recover() {
  enter(State::catching_up, reason_);
  const auto catching_up = user_.catch_up();
  const auto brought = co_await catching_up;
  if (state_ != State::catching_up) co_return;
  if (!brought) {
    enter(State::open, reason_);
    co_return;
  }
  enter(State::serving, std::to_string(*brought) + " charges to merge");
  const auto ending = user_.caught_up();
  co_await ending;
}

void RedisLink::on_message(const RedisReply& payload) {
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
  if (payload.kind != RedisReply::Kind::array || !changes.elements.empty()) user_.changed(changes);
}

}  // namespace policyd
