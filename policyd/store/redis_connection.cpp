#include "policyd/store/redis_connection.h"

#include <hiredis/hiredis.h>
#include <netdb.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <optional>

#include "policyd/async/offload.h"
#include "policyd/store/resp.h"
#include "shared/duration.h"

namespace policyd {

namespace {

constexpr const char* kUnasked = "it sent what nobody asked for";

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

// What went wrong at a socket; 0: nothing.
int failure_of(int socket) {
  int failure = 0;
  socklen_t size = sizeof failure;
  return getsockopt(socket, SOL_SOCKET, SO_ERROR, &failure, &size) == 0 ? failure : errno;
}

}  // namespace

// A command on its way: the connection holds it until its reply or the end of the connection; the RedisCall that waits
// for it and this know of each other. Whoever lets go last frees it.
struct RedisOperation {
  uint64_t asked_at = 0;  // loop time, ms
  std::coroutine_handle<> waiter;
  std::optional<Result<RedisReply>> result;
  bool wanted = true;    // its RedisCall lives
  bool queued = false;   // the connection has it

  void finish(Result<RedisReply> with) {
    queued = false;
    if (!wanted) {
      delete this;
      return;
    }
    result.emplace(std::move(with));
    if (waiter) waiter.resume();  // frees the operation
  }
};

struct RedisConnection::Poll {
  uv_poll_t handle{};
  int wanted = 0;
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
  context_ = url_.path.empty() ? redisConnectNonBlock(host.c_str(), url_.port)
                               : redisConnectUnixNonBlock(url_.path.c_str());
  if (!context_ || context_->err) {
    lost_ = told_ = true;
    reason_ = context_ ? context_->errstr : "out of memory";
    if (context_) redisFree(std::exchange(context_, nullptr));
    return Error{reason_};
  }
  poll_ = new Poll;
  uv_poll_init(loop_, &poll_->handle, context_->fd);
  uv_unref(reinterpret_cast<uv_handle_t*>(&poll_->handle));
  poll_->handle.data = this;
  want(UV_WRITABLE, true);  // it can be written to when it is connected
  return {};
}

void RedisConnection::want(int event, bool wanted) {
  const int events = wanted ? poll_->wanted | event : poll_->wanted & ~event;
  if (std::exchange(poll_->wanted, events) == events) return;
  uv_poll_start(&poll_->handle, events, [](uv_poll_t* handle, int status, int ready) {
    static_cast<RedisConnection*>(handle->data)->on_event(status, ready);
  });
}

void RedisConnection::close_poll() {
  Poll* poll = std::exchange(poll_, nullptr);
  if (!poll) return;
  poll->handle.data = poll;
  uv_close(reinterpret_cast<uv_handle_t*>(&poll->handle),
           [](uv_handle_t* handle) { delete static_cast<Poll*>(handle->data); });
}

void RedisConnection::on_event(int status, int ready) {
  if (status < 0) {
    const int failure = failure_of(context_->fd);
    return lose(failure != 0 ? std::strerror(failure) : uv_strerror(status));
  }
  if (!connected_) return finish_connecting();
  if (ready & UV_WRITABLE) write();
  if (ready & UV_READABLE && context_) read();
}

void RedisConnection::finish_connecting() {
  if (const int failure = failure_of(context_->fd); failure != 0) return lose(std::strerror(failure));
  connected_ = true;
  waiting_since_ = 0;
  want(UV_WRITABLE, false);
  want(UV_READABLE, true);
  if (auto waiter = std::exchange(connecting_, nullptr)) waiter.resume();
}

// Who is answered goes on at once, and may lose the connection.
void RedisConnection::read() {
  if (redisBufferRead(context_) != REDIS_OK) return lose(context_->errstr);
  while (context_) {
    void* answer = nullptr;
    if (redisGetReplyFromReader(context_, &answer) != REDIS_OK) return lose(context_->errstr);
    if (!answer) return;
    RedisReply reply = RedisReply::copy(*static_cast<redisReply*>(answer));
    freeReplyObject(answer);
    answered(std::move(reply));
  }
}

// Redis answers in order, and then what the channel brings.
void RedisConnection::answered(RedisReply reply) {
  if (!in_flight_.empty()) {
    RedisOperation* const operation = in_flight_.front();
    in_flight_.pop_front();
    operation->finish(std::move(reply));
  } else if (reply.is_error()) {
    lose(reply.text);  // what it says before it hangs up; or SUBSCRIBE is refused
  } else if (listening_) {
    pushed(reply);
  } else {
    lose(kUnasked);
  }
}

void RedisConnection::pushed(const RedisReply& reply) {
  const bool whole = reply.elements.size() == 3 && reply.elements[0].kind == RedisReply::Kind::text;
  const std::string kind = whole ? reply.elements[0].text : "";
  if (kind == "message") return events_.message(reply.elements[2]);
  if (kind != "subscribe") return lose(kUnasked);
  subscribed_ = true;
  waiting_since_ = 0;
  if (auto waiter = std::exchange(subscribing_, nullptr)) waiter.resume();
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
  if (!context_ || redisAppendFormattedCommand(context_, command.data(), command.size()) != REDIS_OK) {
    operation->result.emplace(Error{reason_.empty() ? "the connection is gone" : reason_});
    return RedisCall(operation);
  }
  to_write_ = true;
  operation->queued = true;
  in_flight_.push_back(operation);
  if (!timeouts_.active()) timeouts_.once(timeout_ - waited(asked_at));
  return RedisCall(operation);
}

Task<Result<void>> RedisConnection::subscribe(std::string_view channel) {
  if (!alive()) co_return Error{reason_};
  const std::string command = serialize(std::array<std::string_view, 2>{"SUBSCRIBE", channel});
  const int appended = redisAppendFormattedCommand(context_, command.data(), command.size());
  if (appended != REDIS_OK) co_return Error{"out of memory"};
  to_write_ = listening_ = true;
  waiting_since_ = uv_now(loop_);
  if (!timeouts_.active()) timeouts_.once(timeout_);
  Subscribing subscribing{*this};
  co_await subscribing;
  if (lost_) co_return Error{"SUBSCRIBE " + std::string(channel) + ": " + reason_};
  co_return Result<void>();
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
  if (age() >= timeout_ && connected_) read();
  if (lost_ || oldest_wait() == 0) return;
  if (age() >= timeout_) return lose("no answer within " + format_duration(timeout_));
  timeouts_.once(timeout_ - age());
}

void RedisConnection::lose(const std::string& reason) {
  if (lost_) return;
  lost_ = true;
  reason_ = reason;
  timeouts_.stop();
  close_poll();
  if (context_) redisFree(std::exchange(context_, nullptr));
  while (!in_flight_.empty()) {
    RedisOperation* const operation = in_flight_.front();
    in_flight_.pop_front();
    operation->finish(Error{reason_});
  }
  for (auto* waiting : {&connecting_, &subscribing_}) {
    if (auto waiter = std::exchange(*waiting, nullptr)) waiter.resume();
  }
}

void RedisConnection::write() {
  int done = 0;
  if (redisBufferWrite(context_, &done) != REDIS_OK) return lose(context_->errstr);
  want(UV_WRITABLE, done == 0);  // the socket is full: the rest goes when it can be written to
}

// What fails, or does not go out at once, the end of the turn sees to: this is called by those who have been answered,
// while others are still to be.
void RedisConnection::flush() {
  if (!to_write_ || !context_) return;
  int done = 0;
  if (redisBufferWrite(context_, &done) == REDIS_OK && done) to_write_ = false;
}

void RedisConnection::end_turn() {
  if (events_.end_of_turn && opened_) events_.end_of_turn();
  if (context_ && std::exchange(to_write_, false)) write();
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
