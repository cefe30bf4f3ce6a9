#include "policyd/store/redis_connection.h"

#include <hiredis/async.h>
#include <hiredis/hiredis.h>
#include <netdb.h>

#include <optional>

#include "policyd/async/offload.h"
#include "policyd/store/resp.h"
#include "shared/duration.h"

namespace policyd {

namespace {

std::string serialize(std::span<const std::string_view> arguments) {
  std::string command;
  append_command(command, arguments);
  return command;
}

// The first address of a host name. Blocks: for the thread pool (hiredis' own look-up would hold up the loop).
Result<std::string> resolve(const std::string& host) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  if (const int failure = getaddrinfo(host.c_str(), nullptr, &hints, &found); failure != 0) {
    return Error{"the host name " + host + " cannot be resolved: " + gai_strerror(failure)};
  }
  char name[INET6_ADDRSTRLEN] = "";
  uv_ip_name(found->ai_addr, name, sizeof name);
  freeaddrinfo(found);
  return std::string(name);
}

}  // namespace

// A command on its way: hiredis holds it as private data until its reply or the end of the connection; the RedisCall
// that waits for it and this know of each other. Whoever lets go last frees it.
struct RedisOperation {
  uint64_t asked_at = 0;  // loop time, ms
  std::coroutine_handle<> waiter;
  std::optional<Result<RedisReply>> result;
  bool wanted = true;    // its RedisCall lives
  bool queued = false;   // hiredis has it
};

// hiredis' wishes for readable and writable, on libuv.
struct RedisConnection::Poll {
  uv_poll_t handle{};
  int wanted = 0;
  void want(int events, uv_poll_cb on_event) {
    if (events == wanted) return;
    wanted = events;
    uv_poll_start(&handle, events, on_event);
  }
};

RedisConnection::RedisConnection(uv_loop_t* loop, const StoreUrl& url, Milliseconds timeout, Events events)
    : loop_(loop),
      url_(url),
      timeout_(timeout),
      events_(std::move(events)),
      timeouts_(loop, [this] { check_timeouts(); }),
      end_of_turn_(loop, [this] { end_turn(); }) {}

RedisConnection::~RedisConnection() {
  told_ = true;
  lose("closed");
}

Task<Result<void>> RedisConnection::open() {
  std::string host = url_.host;
  if (url_.path.empty() && !IpAddress::parse(host)) {
    Offload<Result<std::string>> resolving(loop_, [host] { return resolve(host); });
    auto resolved = co_await resolving;
    if (!resolved) co_return resolved.error();
    host = *resolved;
  }
  if (auto attached = attach(host); !attached) co_return attached;
  waiting_since_ = uv_now(loop_);
  timeouts_.once(timeout_);
  Connecting connecting{*this};
  co_await connecting;
  if (lost_) co_return Error{reason_};
  std::vector<std::string_view> auth{"AUTH", url_.user, url_.password};
  if (url_.user.empty()) auth.erase(auth.begin() + 1);
  if (!url_.password.empty()) {
    const auto told = tell(auth);
    if (auto done = co_await told; !done) co_return done;
  }
  const std::string db = std::to_string(url_.db);
  const std::vector<std::string_view> select{"SELECT", db};
  if (url_.db != 0) {
    const auto told = tell(select);
    if (auto done = co_await told; !done) co_return done;
  }
  opened_ = true;
  co_return Result<void>();
}

Task<Result<void>> RedisConnection::tell(const std::vector<std::string_view>& command) {
  auto call = transmit(serialize(command), uv_now(loop_));
  auto reply = co_await call;
  if (!reply) co_return reply.error();
  if (reply->is_error()) co_return Error{std::string(command[0]) + " is refused: " + reply->text};
  co_return Result<void>();
}

Result<void> RedisConnection::attach(const std::string& host) {
  context_ = url_.path.empty() ? redisAsyncConnect(host.c_str(), url_.port) : redisAsyncConnectUnix(url_.path.c_str());
  if (!context_ || context_->err) {
    lost_ = told_ = true;
    reason_ = context_ ? context_->errstr : "out of memory";
    if (context_) redisAsyncFree(std::exchange(context_, nullptr));
    return Error{reason_};
  }
  poll_ = new Poll;
  uv_poll_init(loop_, &poll_->handle, context_->c.fd);
  uv_unref(reinterpret_cast<uv_handle_t*>(&poll_->handle));
  poll_->handle.data = this;

  context_->data = context_->ev.data = this;
  context_->ev.addRead = [](void* data) { self(data)->want(UV_READABLE, true); };
  context_->ev.delRead = [](void* data) { self(data)->want(UV_READABLE, false); };
  context_->ev.addWrite = [](void* data) {
    // Until it is connected, writability is how that is told; afterwards the end of the turn writes.
    self(data)->connected_ ? void(self(data)->to_write_ = true) : self(data)->want(UV_WRITABLE, true);
  };
  context_->ev.delWrite = [](void* data) {
    self(data)->to_write_ = false;
    self(data)->want(UV_WRITABLE, false);
  };
  context_->ev.cleanup = [](void* data) { self(data)->close_poll(); };
  redisAsyncSetConnectCallback(context_, [](const redisAsyncContext* context, int status) {
    self(context->data)->on_connected(status == REDIS_OK ? "" : context->errstr);
  });
  redisAsyncSetDisconnectCallback(context_, [](const redisAsyncContext* context, int) {
    RedisConnection* connection = self(context->data);
    connection->context_ = nullptr;  // hiredis frees it after this
    connection->lose(context->err ? context->errstr : "Redis closed the connection");
  });
  return {};
}

RedisConnection* RedisConnection::self(void* data) { return static_cast<RedisConnection*>(data); }

void RedisConnection::want(int event, bool wanted) {
  if (!poll_) return;
  const int events = wanted ? poll_->wanted | event : poll_->wanted & ~event;
  poll_->want(events, [](uv_poll_t* handle, int status, int ready) {
    RedisConnection* connection = self(handle->data);
    if (status < 0) return connection->lose(uv_strerror(status));
    if (ready & UV_WRITABLE) redisAsyncHandleWrite(connection->context_);
    if (ready & UV_READABLE && connection->context_) redisAsyncHandleRead(connection->context_);
  });
}

void RedisConnection::close_poll() {
  Poll* poll = std::exchange(poll_, nullptr);
  if (!poll) return;
  poll->handle.data = poll;
  uv_close(reinterpret_cast<uv_handle_t*>(&poll->handle),
           [](uv_handle_t* handle) { delete static_cast<Poll*>(handle->data); });
}

void RedisConnection::on_connected(const std::string& failure) {
  if (failure.empty()) {
    connected_ = true;
    waiting_since_ = 0;
  } else {
    context_ = nullptr;  // hiredis frees it after this
    lose(failure);
  }
  if (auto waiter = std::exchange(connecting_, nullptr)) waiter.resume();
}

RedisCall RedisConnection::send(std::span<const std::string_view> arguments) {
  return send_serialized(serialize(arguments), uv_now(loop_));
}

RedisCall RedisConnection::send_serialized(std::string_view command, uint64_t asked_at) {
  if (opened_) return transmit(command, asked_at);
  auto* operation = new RedisOperation;
  operation->result.emplace(Error{"the connection is not open yet"});
  return RedisCall(operation);
}

RedisCall RedisConnection::transmit(std::string_view command, uint64_t asked_at) {
  auto* operation = new RedisOperation;
  operation->asked_at = asked_at;
  const bool alive = !lost_ && context_;
  const bool sent =
      alive && redisAsyncFormattedCommand(context_, on_reply, operation, command.data(), command.size()) == REDIS_OK;
  if (!sent) {
    operation->result.emplace(Error{reason_.empty() ? "the connection is gone" : reason_});
    return RedisCall(operation);
  }
  operation->queued = true;
  in_flight_.push_back(operation);
  if (!timeouts_.active()) timeouts_.once(timeout_ - waited(asked_at));
  return RedisCall(operation);
}

Task<Result<void>> RedisConnection::subscribe(std::string_view channel) {
  if (!alive()) co_return Error{reason_};
  // A refusal ends the connection, with what Redis said as the reason: hiredis expects no error here.
  redisAsyncCommand(
      context_,
      [](redisAsyncContext* context, void* answer, void*) {
        const auto* reply = static_cast<redisReply*>(answer);
        if (!reply || reply->type != REDIS_REPLY_ARRAY || reply->elements != 3) return;
        RedisConnection* connection = self(context->data);
        const std::string_view kind(reply->element[0]->str);
        if (kind == "message") connection->events_.message(RedisReply::copy(*reply->element[2]));
        if (kind != "subscribe") return;
        connection->subscribed_ = true;
        connection->waiting_since_ = 0;
        if (auto waiter = std::exchange(connection->subscribing_, nullptr)) waiter.resume();
      },
      nullptr, "SUBSCRIBE %b", channel.data(), channel.size());
  waiting_since_ = uv_now(loop_);
  if (!timeouts_.active()) timeouts_.once(timeout_);
  Subscribing subscribing{*this};
  co_await subscribing;
  if (lost_) co_return Error{"SUBSCRIBE " + std::string(channel) + ": " + reason_};
  co_return Result<void>();
}

void RedisConnection::on_reply(redisAsyncContext* context, void* answer, void* data) {
  RedisConnection* connection = self(context->data);
  auto* operation = static_cast<RedisOperation*>(data);
  auto& in_flight = connection->in_flight_;
  if (!in_flight.empty() && in_flight.front() == operation) {
    in_flight.pop_front();
  } else {
    std::erase(in_flight, operation);
  }
  operation->queued = false;
  if (!operation->wanted) {
    delete operation;
    return;
  }
  if (answer) {
    operation->result.emplace(RedisReply::copy(*static_cast<redisReply*>(answer)));
  } else {
    const char* why = context->err ? context->errstr : "Redis closed the connection";
    operation->result.emplace(Error{connection->reason_.empty() ? why : connection->reason_});
  }
  if (operation->waiter) operation->waiter.resume();  // frees the operation
}

// Loop time since which something is waited for, or 0. The oldest command tells for all: Redis answers in order.
uint64_t RedisConnection::oldest_wait() const {
  return waiting_since_ != 0 ? waiting_since_ : in_flight_.empty() ? 0 : in_flight_.front()->asked_at;
}

Milliseconds RedisConnection::waited(uint64_t since) const {
  return Milliseconds(static_cast<int64_t>(uv_now(loop_) - since));
}

void RedisConnection::check_timeouts() {
  const auto age = [this] { return waited(oldest_wait()); };
  if (lost_ || oldest_wait() == 0) return;
  // The loop may have been held up itself, and the answer have come meanwhile: timers run before sockets are looked at.
  if (age() >= timeout_ && connected_) redisAsyncHandleRead(context_);
  if (lost_ || oldest_wait() == 0) return;
  if (age() >= timeout_) return lose("no answer within " + format_duration(timeout_));
  timeouts_.once(timeout_ - age());
}

void RedisConnection::lose(const std::string& reason) {
  if (lost_) return;
  lost_ = true;
  reason_ = reason;
  timeouts_.stop();
  if (context_) redisAsyncFree(context_);  // tells every command that waits, by on_reply
  context_ = nullptr;
  close_poll();
  for (auto* waiting : {&connecting_, &subscribing_}) {
    if (auto waiter = std::exchange(*waiting, nullptr)) waiter.resume();
  }
}

// Not by way of redisAsyncHandleWrite(), which frees the context where it fails: this is called from within its
// callbacks.
void RedisConnection::flush() {
  if (!to_write_ || !context_ || lost_) return;
  int done = 0;
  // What fails, or does not go out at once, the end of the turn sees to.
  if (redisBufferWrite(&context_->c, &done) == REDIS_OK && done) to_write_ = false;
}

void RedisConnection::end_turn() {
  if (events_.end_of_turn && opened_) events_.end_of_turn();
  if (to_write_ && context_) {
    to_write_ = false;
    redisAsyncHandleWrite(context_);
    // The socket is full: the rest goes when it can be written to.
    if (to_write_ && context_) want(UV_WRITABLE, true);
  }
  if (lost_ && !std::exchange(told_, true)) {
    const auto lost = events_.lost;  // may destroy this connection
    lost(std::string(reason_));
  }
}

RedisCall::~RedisCall() {
  if (!operation_) return;
  if (operation_->queued) {
    operation_->wanted = false;
    operation_->waiter = nullptr;
  } else {
    delete operation_;
  }
}

bool RedisCall::await_ready() const noexcept { return operation_->result.has_value(); }
void RedisCall::await_suspend(std::coroutine_handle<> waiter) const noexcept { operation_->waiter = waiter; }
Result<RedisReply> RedisCall::await_resume() { return *std::move(operation_->result); }

}  // namespace policyd
