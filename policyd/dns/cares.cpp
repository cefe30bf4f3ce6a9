#include "policyd/dns/cares.h"

#include <ares.h>
#include <sys/socket.h>

#include <algorithm>
#include <list>
#include <unordered_map>
#include <utility>

#include "policyd/async/timer.h"
#include "policyd/dns/cares_servers.h"
#include "policyd/dns/patience.h"

namespace policyd {

namespace {

constexpr int kTries = 2;        // rounds over all servers; the second waits twice as long
constexpr int kEdnsSize = 1232;  // DNS Flag Day 2020
constexpr int kSocketBuffer = 1 << 20;  // a burst of queries, or of answers; the kernel grants what it allows
constexpr int kSilences = 3;     // queries in a row that the first server was silent to
constexpr int kClassIn = 1;

constexpr int number_of(DnsType type) {
  switch (type) {
    case DnsType::a:
      return 1;
    case DnsType::aaaa:
      return 28;
    case DnsType::mx:
      return 15;
    case DnsType::txt:
      return 16;
    case DnsType::ptr:
      return 12;
  }
  return 0;
}

// c-ares reads a backslash as the escape of what follows.
std::string escaped(std::string_view name) {
  std::string text;
  text.reserve(name.size() + 8);
  for (const char c : name) {
    if (c == '\\') text.push_back('\\');
    text.push_back(c);
  }
  return text;
}

DnsReply reply_of(DnsStatus status) {
  DnsReply reply;
  reply.answer.status = status;
  return reply;
}

// A query that ended without an answer.
DnsReply reply_without_answer(int ares_status) {
  switch (ares_status) {
    case ARES_ETIMEOUT:
      return reply_of(DnsStatus::timed_out);
    case ARES_ENOTFOUND:  // .onion, which must not be asked for (RFC 7686)
      return reply_of(DnsStatus::no_domain);
    case ARES_EBADNAME:
      return reply_of(DnsStatus::bad_name);
    default:  // refused, unreachable, out of memory
      return reply_of(DnsStatus::server_failure);
  }
}

std::string with_commas(const std::vector<std::string>& servers) {
  std::string list;
  for (const std::string& server : servers) list.append(list.empty() ? "" : ",").append(server);
  return list;
}

}  // namespace

// A set of servers and the queries that are put to them.
class CaresUpstream::Channel {
 public:
  Channel(CaresUpstream& upstream, const std::vector<std::string>& servers, Milliseconds timeout)
      : upstream_(upstream),
        loop_(upstream.loop_),
        servers_(with_commas(servers)),
        count_(static_cast<int>(servers.size())),
        timeout_(timeout),
        patience_(servers_, timeout),
        counted_(upstream.counts_, kSocketBuffer),
        tick_(loop_, [this] { check_time(); }) {}
  ~Channel() {
    if (channel_) ares_destroy(channel_);  // ends all queries and closes all sockets
  }
  Channel(const Channel&) = delete;
  Channel& operator=(const Channel&) = delete;

  Result<void> open();
  void ask(const DnsName& name, DnsType type, Done done);
  // Others are asked from now on: what becomes of the queries under way tells nothing any more.
  void retire() { retired_ = true; }

  [[nodiscard]] bool idle() const { return queries_.empty(); }
  [[nodiscard]] bool first_is_silent() const { return silences_ >= kSilences; }

 private:
  struct Query {
    Channel& channel;
    DnsType type;
    SteadyTime deadline;  // by the loop's time
    Done done;            // empty: told already; c-ares has not ended it yet
    std::list<Query>::iterator self{};
  };
  // A socket of c-ares, on libuv; freed in its close callback.
  struct Socket {
    uv_poll_t poll;
    Channel* channel;
    ares_socket_t number;
  };

  [[nodiscard]] SteadyTime now() const { return SteadyTime(Milliseconds(static_cast<int64_t>(uv_now(loop_)))); }
  void want(ares_socket_t number, bool readable, bool writable);
  void check_time();
  void ended(Query& query, int status, int timeouts, std::string_view octets);
  void learn(int status, int timeouts, bool answered);
  void finish(Query& query, DnsReply reply) {
    upstream_.finish(std::exchange(query.done, nullptr), std::move(reply));
  }
  static void on_ready(uv_poll_t* poll, int status, int events);

  CaresUpstream& upstream_;
  uv_loop_t* loop_;
  const std::string servers_;  // "127.0.0.1:53,[::1]:53"
  const int count_;            // of them
  const Milliseconds timeout_;
  Patience patience_;
  CaresSockets counted_;
  ares_channel channel_ = nullptr;
  std::unordered_map<ares_socket_t, Socket*> sockets_;
  std::list<Query> queries_;  // oldest first; their deadlines are in no order
  int silences_ = 0;          // of the first server
  bool retired_ = false;
  Timer tick_;  // while queries are under way
};

Result<void> CaresUpstream::Channel::open() {
  ares_options options{};
  // A lone server's SERVFAIL is the answer; of several, the next one is asked.
  options.flags = ARES_FLAG_NOSEARCH | ARES_FLAG_NOALIASES | ARES_FLAG_EDNS;
  if (count_ == 1) options.flags |= ARES_FLAG_NOCHECKRESP;
  // Two rounds take 1 + 2 parts for each server.
  options.timeout = std::max(1, static_cast<int>(timeout_.count()) / (3 * count_));
  options.tries = kTries;
  options.ednspsz = kEdnsSize;
  char dns_only[] = "b";
  options.lookups = dns_only;
  options.sock_state_cb_data = this;
  options.sock_state_cb = [](void* self, ares_socket_t number, int readable, int writable) {
    static_cast<Channel*>(self)->want(number, readable != 0, writable != 0);
  };
  const int wanted = ARES_OPT_FLAGS | ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES | ARES_OPT_EDNSPSZ | ARES_OPT_LOOKUPS |
                     ARES_OPT_DOMAINS | ARES_OPT_NOROTATE | ARES_OPT_SOCK_STATE_CB;
  int status = ares_init_options(&channel_, &options, wanted);
  if (status == ARES_SUCCESS) status = ares_set_servers_ports_csv(channel_, servers_.c_str());
  if (status != ARES_SUCCESS) return Error{"c-ares cannot be set up to ask " + servers_ + ": " + ares_strerror(status)};
  counted_.attach(channel_);
  return {};
}

void CaresUpstream::Channel::ask(const DnsName& name, DnsType type, Done done) {
  if (queries_.size() >= kMostUnderWay) return upstream_.finish(std::move(done), reply_of(DnsStatus::overloaded));
  uv_update_time(loop_);
  queries_.push_back({*this, type, now() + patience_.now(), std::move(done)});
  Query& query = queries_.back();
  query.self = std::prev(queries_.end());
  if (!tick_.active()) tick_.every(std::clamp(timeout_ / 50, Milliseconds{5}, Milliseconds{100}));
  const std::string text = escaped(name.view());
  ares_query(
      channel_, text.c_str(), kClassIn, number_of(type),
      [](void* data, int status, int timeouts, unsigned char* octets, int size) {
        auto& asked = *static_cast<Query*>(data);
        const auto* start = reinterpret_cast<const char*>(octets);
        asked.channel.ended(asked, status, timeouts, {start, start ? static_cast<size_t>(size) : 0});
      },
      &query);
}

// Called by c-ares, once for each query; the query is no more after it.
void CaresUpstream::Channel::ended(Query& query, int status, int timeouts, std::string_view octets) {
  if (status != ARES_EDESTRUCTION && !retired_) learn(status, timeouts, !octets.empty());
  if (query.done && status != ARES_EDESTRUCTION) {
    finish(query, octets.empty() ? reply_without_answer(status) : parse_message(octets, query.type));
  }
  queries_.erase(query.self);
  if (queries_.empty()) tick_.stop();
}

void CaresUpstream::Channel::learn(int status, int timeouts, bool answered) {
  // Silent to all is no reason to prefer another.
  if (count_ > 1) silences_ = timeouts > 0 ? silences_ + (answered ? 1 : 0) : 0;
  const bool refused = status == ARES_ESERVFAIL || status == ARES_EREFUSED || status == ARES_ENOTIMP;  // by the last
  if (answered || refused) {
    patience_.answer();
  } else if (status == ARES_ETIMEOUT) {
    patience_.silence();
  }
}

// The loop may have been held up, and answers have come meanwhile: sockets are read first.
void CaresUpstream::Channel::check_time() {
  std::vector<ares_socket_t> open;
  for (const auto& [number, socket] : sockets_) open.push_back(number);
  for (const ares_socket_t number : open) ares_process_fd(channel_, number, ARES_SOCKET_BAD);
  ares_process_fd(channel_, ARES_SOCKET_BAD, ARES_SOCKET_BAD);
  for (Query& query : queries_) {
    if (query.done && query.deadline <= now()) finish(query, reply_of(DnsStatus::timed_out));
  }
}

// c-ares wishes to know of a socket when it can be read or written; of one that it closes, neither.
void CaresUpstream::Channel::want(ares_socket_t number, bool readable, bool writable) {
  const auto known = sockets_.find(number);
  if (!readable && !writable) {
    if (known == sockets_.end()) return;
    Socket* const socket = known->second;
    sockets_.erase(known);
    socket->channel = nullptr;
    uv_close(reinterpret_cast<uv_handle_t*>(&socket->poll),
             [](uv_handle_t* handle) { delete static_cast<Socket*>(handle->data); });
    return;
  }
  Socket* socket = known != sockets_.end() ? known->second : nullptr;
  if (!socket) {
    socket = new Socket{{}, this, number};
    uv_poll_init(loop_, &socket->poll, number);
    socket->poll.data = socket;
    uv_unref(reinterpret_cast<uv_handle_t*>(&socket->poll));
    sockets_.emplace(number, socket);
  }
  uv_poll_start(&socket->poll, (readable ? UV_READABLE : 0) | (writable ? UV_WRITABLE : 0), on_ready);
}

void CaresUpstream::Channel::on_ready(uv_poll_t* poll, int status, int events) {
  const Socket& socket = *static_cast<Socket*>(poll->data);
  const bool failed = status < 0;  // c-ares finds out why
  ares_process_fd(socket.channel->channel_, failed || events & UV_READABLE ? socket.number : ARES_SOCKET_BAD,
                  failed || events & UV_WRITABLE ? socket.number : ARES_SOCKET_BAD);
}

CaresUpstream::CaresUpstream(uv_loop_t* loop) : loop_(loop), tell_(loop, [this] { tell(); }) {
  ares_library_init(ARES_LIB_INIT_ALL);  // counted by c-ares
}

CaresUpstream::~CaresUpstream() {
  channel_.reset();
  retired_.clear();
  ares_library_cleanup();
}

Result<std::unique_ptr<CaresUpstream::Channel>> CaresUpstream::open(const std::vector<std::string>& servers,
                                                                    Milliseconds timeout) {
  auto channel = std::make_unique<Channel>(*this, servers, timeout);
  if (auto opened = channel->open(); !opened) return opened.error();
  return channel;
}

Result<void> CaresUpstream::reconfigure(const std::vector<std::string>& servers, Milliseconds timeout) {
  auto asked = servers_to_ask(servers);
  if (!asked) return asked.error();
  auto channel = open(*asked, timeout);
  if (!channel) return channel.error();
  servers_ = *std::move(asked);
  timeout_ = timeout;
  replace(*std::move(channel));
  return {};
}

DnsServerCounts CaresUpstream::counts_of(const std::string& server) const {
  const auto found = counts_.find(server);
  return found == counts_.end() ? DnsServerCounts() : found->second;
}

void CaresUpstream::replace(std::unique_ptr<Channel> channel) {
  if (channel_) {
    channel_->retire();
    retired_.push_back(std::move(channel_));
  }
  channel_ = std::move(channel);
}

void CaresUpstream::ask(const DnsName& name, DnsType type, Done done) {
  if (channel_) return channel_->ask(name, type, std::move(done));
  finish(std::move(done), reply_without_answer(ARES_ENOTINITIALIZED));
}

// c-ares asks servers in a fixed order, so a first one that is silent would cost every query its part of the time.
void CaresUpstream::demote_silent_server() {
  std::vector<std::string> servers = servers_;
  std::rotate(servers.begin(), servers.begin() + 1, servers.end());
  auto channel = open(servers, timeout_);
  if (!channel) return;  // as before, then
  servers_ = std::move(servers);
  replace(*std::move(channel));
}

void CaresUpstream::finish(Done done, DnsReply reply) {
  if (finished_.empty()) tell_.once(Milliseconds{0});
  finished_.push_back({std::move(done), std::move(reply)});
}

// No call of c-ares is under way here: channels may go.
void CaresUpstream::tell() {
  for (Finished& query : std::exchange(finished_, {})) query.done(std::move(query.reply));
  if (channel_ && channel_->first_is_silent()) demote_silent_server();
  std::erase_if(retired_, [](const auto& channel) { return channel->idle(); });
}

Result<void> CaresResolver::reconfigure(const DnsConfig& config) {
  if (auto done = upstream_.reconfigure(config.servers, config.timeout); !done) return done;
  auto servers = upstream_.servers();
  std::sort(servers.begin(), servers.end());
  const bool same = servers == servers_ && config.cache == config_.cache;
  if (!same) cache_.resize(config.cache);
  servers_ = std::move(servers);
  config_ = config;
  return {};
}

ResolverStatus CaresResolver::status() const {
  ResolverStatus status{cache_.statistics(), {}};
  for (const std::string& server : upstream_.servers()) {
    status.servers.emplace_back(server, upstream_.counts_of(server));
  }
  return status;
}

}  // namespace policyd
