// One connection to Redis on the loop: hiredis, with time-outs, and one write per turn for all that was sent in it.
//
// Of hiredis it uses the buffers and the parser; whose turn it is to be answered it knows itself, as hiredis' own way
// to do so ends the process where a server answers what nobody asked. Here that loses the connection.
//
// A connection lives once: open() tries, and when it is lost, for whatever reason, every command that waits is told,
// then `lost` is called with the reason, once. Who wants another makes another. A command whose answer does not come
// within the time-out loses the connection: Redis answers in order, so nothing behind it would come either.
#pragma once

#include <uv.h>

#include <coroutine>
#include <deque>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "policyd/async/task.h"
#include "policyd/async/timer.h"
#include "policyd/async/turn.h"
#include "policyd/store/redis_reply.h"
#include "shared/config.h"
#include "shared/result.h"

struct redisContext;

namespace policyd {

struct RedisOperation;

// The answer to come. The Error is one of the connection; what Redis refuses is a reply of kind error. An answer that
// nobody awaits any more is thrown away.
class RedisCall {
 public:
  explicit RedisCall(RedisOperation* operation) : operation_(operation) {}
  RedisCall(RedisCall&& other) noexcept : operation_(std::exchange(other.operation_, nullptr)) {}
  RedisCall& operator=(RedisCall&&) = delete;
  ~RedisCall();

  [[nodiscard]] bool await_ready() const noexcept;
  void await_suspend(std::coroutine_handle<> waiter) const noexcept;
  Result<RedisReply> await_resume();

 private:
  RedisOperation* operation_;
};

class RedisConnection {
 public:
  struct Events {
    std::function<void(const std::string& reason)> lost;
    // A message of the channel that this connection subscribed to (payload: keys, or nil for all of them).
    std::function<void(const RedisReply& payload)> message;
    // What has been gathered in this turn is to be sent now.
    std::function<void()> end_of_turn;
  };

  RedisConnection(uv_loop_t* loop, const StoreUrl& url, Milliseconds timeout, Events events);
  ~RedisConnection();
  RedisConnection(const RedisConnection&) = delete;
  RedisConnection& operator=(const RedisConnection&) = delete;

  // Resolves, connects, authenticates and selects the database.
  Task<Result<void>> open();

  // Sends a command (at the end of this turn); `co_await` the call for the answer. Before open() has ended nothing is
  // sent.
  RedisCall send(std::span<const std::string_view> arguments);
  RedisCall send(std::initializer_list<std::string_view> arguments) {
    return send(std::span<const std::string_view>(arguments.begin(), arguments.size()));
  }

  // The same for a command that is serialized already (resp.h). It was asked for at the loop's time `asked_at`, less
  // than the time-out ago, and its time-out counts from then.
  RedisCall send_serialized(std::string_view command, uint64_t asked_at);
  [[nodiscard]] uint64_t loop_time() const { return uv_now(loop_); }  // ms

  // From now on this connection only listens; messages go to Events::message. An Error is a refusal (NOPERM) or the
  // end of the connection.
  Task<Result<void>> subscribe(std::string_view channel);
  [[nodiscard]] bool alive() const { return opened_ && !lost_; }

  // Writes what has been sent now, not at the end of the turn.
  void flush();

 private:
  struct Poll;

  struct Connecting {
    RedisConnection& connection;
    [[nodiscard]] bool await_ready() const noexcept { return connection.connected_ || connection.lost_; }
    void await_suspend(std::coroutine_handle<> waiter) const noexcept { connection.connecting_ = waiter; }
    void await_resume() const noexcept {}
  };

  struct Subscribing {
    RedisConnection& connection;
    [[nodiscard]] bool await_ready() const noexcept { return connection.subscribed_ || connection.lost_; }
    void await_suspend(std::coroutine_handle<> waiter) const noexcept { connection.subscribing_ = waiter; }
    void await_resume() const noexcept {}
  };

  RedisCall transmit(std::string_view command, uint64_t asked_at);
  [[nodiscard]] uint64_t oldest_wait() const;
  [[nodiscard]] Milliseconds waited(uint64_t since) const;
  Result<void> attach(const std::string& host);
  Task<Result<void>> tell(const std::vector<std::string_view>& command);
  void want(int event, bool wanted);
  void close_poll();
  void on_event(int status, int ready);
  void finish_connecting();
  void read();
  void write();
  void answered(RedisReply reply);
  void pushed(const RedisReply& reply);
  void check_timeouts();
  void lose(const std::string& reason);
  void end_turn();

  uv_loop_t* loop_;
  const StoreUrl url_;
  const Milliseconds timeout_;
  Events events_;
  redisContext* context_ = nullptr;       // owned; null once the connection is lost
  Poll* poll_ = nullptr;                  // owned by libuv until its close callback
  std::deque<RedisOperation*> in_flight_;  // in the order sent
  std::coroutine_handle<> connecting_, subscribing_;
  uint64_t waiting_since_ = 0;            // loop time while connecting or subscribing, else 0
  bool connected_ = false;
  bool opened_ = false;                   // connected, authenticated, database selected
  bool listening_ = false;                // SUBSCRIBE has been sent
  bool subscribed_ = false;
  bool to_write_ = false;
  bool lost_ = false;
  bool told_ = false;                     // Events::lost has been called, or is not wanted
  std::string reason_;                    // why it was lost
  Timer timeouts_;
  EachTurn end_of_turn_;
};

}  // namespace policyd
