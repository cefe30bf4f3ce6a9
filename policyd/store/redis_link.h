// The link to Redis: makes the connections, keeps them, and says whether requests may ask Redis.
//
// Two connections: one for commands, one that Redis tells changes on. A heartbeat every second shows that Redis
// answers, takes writes and tells changes; it goes on while Redis is brought up to date, however long that takes, so
// that other nodes do not take this one for gone.
//
//            connections open                heartbeat succeeds            caught up
//     down -----------------------> open --------------------> catching_up ---------> serving
//      ^                             ^                              |                    |
//      |   a connection is lost      +---- a command is refused ----+--------------------+
//      +-----------------------------+------------------------------+--------------------+
//
// One log line when it begins to serve, and one when it stops to.
#pragma once

#include <coroutine>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "policyd/async/task.h"
#include "policyd/async/timer.h"
#include "policyd/store/keys.h"
#include "policyd/store/redis_connection.h"
#include "policyd/store/redis_nodes.h"
#include "shared/clock.h"
#include "shared/config.h"

struct uv_loop_s;

namespace policyd {

class RedisLink {
 public:
  enum class State : uint8_t {
    down,         // no connection: one is being made, or will be
    open,         // no heartbeat has succeeded since it was opened, or since Redis refused a command
    catching_up,  // Redis answers and takes writes, but does not know yet what was counted meanwhile
    serving,      // requests ask Redis
  };

  // Who uses the link. Called in its states' order; what it is given lives until the next closed().
  class User {
   public:
    virtual ~User() = default;
    virtual void opened(RedisConnection& data, const std::string& charge_sha) = 0;
    virtual void closed() = 0;
    virtual void end_of_turn() = 0;
    // Brings Redis up to date, all but the last bit. How much there was to bring, or nothing where that failed.
    virtual Task<std::optional<size_t>> catch_up() = 0;
    // It serves: the last bit, before anybody else asks Redis.
    virtual Task<void> caught_up() = 0;
    // Redis tells of keys, or nil for all of them.
    virtual void changed(const RedisReply& keys) = 0;
    // What this node tells of itself with every heartbeat.
    virtual NodeInfo self() = 0;
    virtual void beat() = 0;
  };

  // All references outlive it.
  RedisLink(uv_loop_s* loop, const Clock& clock, const Config::Store& config, const Keys& keys, User& user);
  ~RedisLink();
  RedisLink(const RedisLink&) = delete;
  RedisLink& operator=(const RedisLink&) = delete;

  void start();
  // Makes no further connection and sends no further heartbeat; the connections stay, and so does what brings Redis up
  // to date.
  void stop();
  // `co_await` it: until nothing brings Redis up to date any more. One waits at a time, and the link outlives that.
  class Recovered {
   public:
    explicit Recovered(const RedisLink& link) : link_(link) {}
    ~Recovered() {
      if (waits_ && link_.recovering()) link_.recovering_->when_done(nullptr);
    }
    Recovered(const Recovered&) = delete;
    Recovered& operator=(const Recovered&) = delete;
    [[nodiscard]] bool await_ready() const noexcept { return !link_.recovering(); }
    void await_suspend(std::coroutine_handle<> waiter) noexcept {
      waits_ = true;
      link_.recovering_->when_done(waiter);
    }
    void await_resume() noexcept { waits_ = false; }

   private:
    const RedisLink& link_;
    bool waits_ = false;
  };
  [[nodiscard]] Recovered recovered() const { return Recovered(*this); }
  // Ends what waits, then the connections; what waited for them has been told when this returns.
  void close();
  // Redis refused a command in a way that tells of Redis as a whole.
  void refused(const std::string& reason);

  [[nodiscard]] State state() const { return state_; }
  [[nodiscard]] bool serving() const { return state_ == State::serving; }
  // Not in state down.
  [[nodiscard]] RedisConnection& data() { return *data_; }
  // Whether the last attempt to connect has failed and another one will be made.
  [[nodiscard]] bool waiting() const { return retry_.active(); }
  // Why it does not serve.
  [[nodiscard]] const std::string& reason() const { return reason_; }
  [[nodiscard]] const RedisNodes& nodes() const { return nodes_; }

 private:
  void enter(State next, const std::string& note);
  void connect_now();
  Task<void> connect();
  Task<Result<void>> establish();
  Task<Result<void>> follow_changes();
  Task<Result<void>> load_scripts();
  void lost(const std::string& reason);
  void reconnect_later();
  void on_beat();
  Task<void> beat();
  Task<Result<void>> send_heartbeat();
  Task<Result<RedisReply>> ask_heartbeat();
  [[nodiscard]] bool recovering() const { return recovering_ && !recovering_->done(); }
  void start_recovery();
  Task<void> recover();
  void on_message(const RedisReply& payload);

  uv_loop_s* loop_;
  const Clock& clock_;
  const Config::Store& config_;
  const Keys& keys_;
  User& user_;
  State state_ = State::down;
  bool stopping_ = false;
  std::string reason_ = "not yet connected";
  SteadyTime away_since_{};
  std::unique_ptr<RedisConnection> data_, changes_;
  std::string charge_sha_, heartbeat_sha_;
  RedisNodes nodes_;
  int unheard_ = 0;  // heartbeats whose change Redis has not told us of
  Milliseconds retry_in_{0};
  std::optional<Task<void>> connecting_, beating_, recovering_;
  Timer retry_, heartbeat_;
};

}  // namespace policyd
