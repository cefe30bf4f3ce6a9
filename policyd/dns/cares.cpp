#include "policyd/dns/cares.h"

#include <ares.h>
#include <sys/socket.h>

#include <algorithm>
#include <list>
#include <unordered_map>
#include <utility>

#include "policyd/async/timer.h"
#include "shared/text.h"

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

// A query that ended without an answer.
DnsReply reply_without_answer(int ares_status) {
  DnsReply reply;
  switch (ares_status) {
    case ARES_ETIMEOUT:
      reply.answer.status = DnsStatus::timed_out;
      break;
    case ARES_ENOTFOUND:  // .onion, which must not be asked for (RFC 7686)
      reply.answer.status = DnsStatus::no_domain;
      break;
    case ARES_EBADNAME:
      reply.answer.status = DnsStatus::bad_name;
      break;
    default:  // refused, unreachable, out of memory
      reply.answer.status = DnsStatus::server_failure;
  }
  return reply;
}

std::string with_port(const ares_addr_port_node& server) {
  return server_name(server.family, &server.addr, static_cast<uint16_t>(server.udp_port != 0 ? server.udp_port : 53));
}

std::vector<std::string> servers_of(ares_channel channel) {
  std::vector<std::string> servers;
  ares_addr_port_node* first = nullptr;
  if (ares_get_servers_ports(channel, &first) != ARES_SUCCESS) return servers;
  for (const auto* server = first; server; server = server->next) servers.push_back(with_port(*server));
  ares_free_data(first);
  return servers;
}

// Those of /etc/resolv.conf; where it names none, 127.0.0.1.
Result<std::vector<std::string>> system_servers() {
  ares_channel channel = nullptr;
  ares_options options{};
  if (const int status = ares_init_options(&channel, &options, 0); status != ARES_SUCCESS) {
    return Error{std::string("the system's DNS servers cannot be read: ") + ares_strerror(status)};
  }
  auto servers = servers_of(channel);
  ares_destroy(channel);
  if (servers.empty()) return Error{"/etc/resolv.conf names no DNS server that can be asked"};
  return servers;
}

// "127.0.0.1", "127.0.0.1:5353", "::1", "[::1]", "[::1]:5353" -> with the port. Nothing: it is none of these.
std::optional<std::string> normal_form(std::string_view server) {
  const size_t bracket = server.find(']');
  std::string_view address = server, port = "53";
  if (server.starts_with('[') && bracket != std::string_view::npos) {
    address = server.substr(1, bracket - 1);
    const std::string_view rest = server.substr(bracket + 1);
    if (!rest.empty() && !rest.starts_with(':')) return std::nullopt;
    if (!rest.empty()) port = rest.substr(1);
  } else if (const size_t colon = server.find(':'); colon == server.rfind(':') && colon != std::string_view::npos) {
    address = server.substr(0, colon);
    port = server.substr(colon + 1);
  }
  const auto parsed = IpAddress::parse(address);
  const bool digits = std::all_of(port.begin(), port.end(), is_digit);
  if (!parsed || port.empty() || port.size() > 5 || !digits) return std::nullopt;
  const int number = std::stoi(std::string(port));
  if (number < 1 || number > 65535) return std::nullopt;
  const std::string text = parsed->to_string();
  return (parsed->v6 ? "[" + text + "]" : text) + ":" + std::to_string(number);
}

Result<std::vector<std::string>> to_be_asked(const std::vector<std::string>& configured) {
  if (configured.empty()) return system_servers();
  std::vector<std::string> servers;
  for (const std::string& server : configured) {
    auto normal = normal_form(server);
    if (!normal) {
      return Error{quoted(server) + " is no DNS server: an IP address, or one with a port, \"127.0.0.1:53\""};
    }
    servers.push_back(*std::move(normal));
  }
  return servers;
}

}  // namespace

// A set of servers and the queries that are put to them.
class CaresUpstream::Channel {
 public:
  Channel(CaresUpstream& upstream, Milliseconds timeout)
      : upstream_(upstream),
        loop_(upstream.loop_),
        timeout_(timeout),
        counted_(upstream.counts_, kSocketBuffer),
        tick_(loop_, [this] { check_time(); }) {}
  ~Channel() {
    if (channel_) ares_destroy(channel_);  // ends all queries and closes all sockets
  }
  Channel(const Channel&) = delete;
  Channel& operator=(const Channel&) = delete;

  Result<void> open(const std::vector<std::string>& servers);
  void ask(const DnsName& name, DnsType type, Done done);

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
  void finish(Query& query, DnsReply reply) {
    upstream_.finish(std::exchange(query.done, nullptr), std::move(reply));
  }
  static void on_ready(uv_poll_t* poll, int status, int events);

  CaresUpstream& upstream_;
  uv_loop_t* loop_;
  const Milliseconds timeout_;
  CaresSockets counted_;
  ares_channel channel_ = nullptr;
  std::unordered_map<ares_socket_t, Socket*> sockets_;
  std::list<Query> queries_;  // oldest first
  int silences_ = 0;
  bool more_servers_ = false;
  Timer tick_;  // while queries are under way
};

Result<void> CaresUpstream::Channel::open(const std::vector<std::string>& servers) {
  const int count = static_cast<int>(servers.size());
  more_servers_ = count > 1;
  ares_options options{};
  // A lone server's SERVFAIL is the answer; of several, the next one is asked.
  options.flags = ARES_FLAG_NOSEARCH | ARES_FLAG_NOALIASES | ARES_FLAG_EDNS;
  if (!more_servers_) options.flags |= ARES_FLAG_NOCHECKRESP;
  // Two rounds take 1 + 2 parts for each server.
  options.timeout = std::max(1, static_cast<int>(timeout_.count()) / (3 * count));
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
  std::string list;
  for (const std::string& server : servers) list.append(list.empty() ? "" : ",").append(server);
  int status = ares_init_options(&channel_, &options, wanted);
  if (status == ARES_SUCCESS) status = ares_set_servers_ports_csv(channel_, list.c_str());
  if (status != ARES_SUCCESS) return Error{"c-ares cannot be set up to ask " + list + ": " + ares_strerror(status)};
  counted_.attach(channel_);
  return {};
}

void CaresUpstream::Channel::ask(const DnsName& name, DnsType type, Done done) {
  uv_update_time(loop_);
  queries_.push_back({*this, type, now() + timeout_, std::move(done)});
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
  if (more_servers_ && status != ARES_EDESTRUCTION) {
    // Silent to all is no reason to prefer another.
    silences_ = timeouts > 0 ? silences_ + (octets.empty() ? 0 : 1) : 0;
  }
  if (query.done && status != ARES_EDESTRUCTION) {
    finish(query, octets.empty() ? reply_without_answer(status) : parse_message(octets, query.type));
  }
  queries_.erase(query.self);
  if (queries_.empty()) tick_.stop();
}

// The loop may have been held up, and answers have come meanwhile: sockets are read first.
void CaresUpstream::Channel::check_time() {
  std::vector<ares_socket_t> open;
  for (const auto& [number, socket] : sockets_) open.push_back(number);
  for (const ares_socket_t number : open) ares_process_fd(channel_, number, ARES_SOCKET_BAD);
  ares_process_fd(channel_, ARES_SOCKET_BAD, ARES_SOCKET_BAD);
  for (Query& query : queries_) {
    if (query.deadline > now()) break;
    if (query.done) finish(query, reply_without_answer(ARES_ETIMEOUT));
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
  auto channel = std::make_unique<Channel>(*this, timeout);
  if (auto opened = channel->open(servers); !opened) return opened.error();
  return channel;
}

Result<void> CaresUpstream::reconfigure(const std::vector<std::string>& servers, Milliseconds timeout) {
  auto asked = to_be_asked(servers);
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
  if (channel_) retired_.push_back(std::move(channel_));
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
