// bench_load: asks a policy server as fast as it answers, on many connections with one request in
// flight on each, as Postfix's smtpd processes do, and measures how long each answer takes.
//
// One thread and one epoll; a request costs a recv, a send, a clock reading and a few digits.
// Reports requests/s, latency quantiles, action words, malformed replies and its own CPU time. Exit
// code 0: all was answered and well-formed; 1: a reply was malformed or missing, a connection was
// lost, or the server is not there; 2: usage.
#include <array>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <ctime>
#include <fcntl.h>
#include <string>
#include <string_view>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>
#include <vector>

#include "tests/bench/histogram.h"
#include "tests/bench/load_options.h"
#include "tests/bench/reply_tally.h"
#include "tests/bench/request_maker.h"

namespace policyd::bench {
namespace {

constexpr uint64_t kSecond = 1'000'000'000;
constexpr int kPatience =
    10'000;  // milliseconds without any reply after which the server is given up

uint64_t now() {
  timespec time{};
  clock_gettime(CLOCK_MONOTONIC, &time);
  return static_cast<uint64_t>(time.tv_sec) * kSecond + static_cast<uint64_t>(time.tv_nsec);
}

double cpu_seconds() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  auto seconds = [](timeval time) {
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

struct Connection {
  int descriptor = -1;
  uint64_t asked_at = 0;  // 0: nothing in flight
  std::string begun;      // the start of a reply that came in parts; usually empty
};

class Load {
 public:
  explicit Load(const LoadOptions& options)
      : options_(options), maker_(options.profile, options.accounts) {}

  bool connect_all();
  void run();
  void hold();
  void report() const;
  [[nodiscard]] bool is_clean() const {
    return tally_.malformed() == 0 && lost_ == 0 && unanswered_ == 0;
  }

 private:
  bool connect_one(size_t index);
  void ask(Connection& connection, uint64_t time);
  void on_readable(Connection& connection);
  void on_reply(Connection& connection, std::string_view reply, uint64_t time);
  void lose(Connection& connection, const char* why);
  [[nodiscard]] bool wants_more(uint64_t time) const;
  bool wait(int milliseconds);
  void report_text(double elapsed) const;
  void report_json(double elapsed) const;

  static constexpr uint64_t kSignal = UINT64_MAX;  // the signalfd's mark among the events

  const LoadOptions& options_;
  RequestMaker maker_;
  ReplyTally tally_;
  Histogram latencies_;
  std::vector<Connection> connections_;
  int epoll_ = -1;
  int signals_ = -1;
  bool stopped_ = false;  // by SIGTERM or SIGINT
  uint64_t measure_from_ = 0;
  uint64_t measure_until_ = 0;
  uint64_t last_reply_ = 0;
  uint64_t asked_ = 0;
  size_t in_flight_ = 0;
  uint64_t lost_ = 0;
  uint64_t unanswered_ = 0;
};

bool Load::connect_one(size_t index) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (options_.socket.size() >= sizeof address.sun_path) return errno = ENAMETOOLONG, false;
  std::memcpy(address.sun_path, options_.socket.data(), options_.socket.size());
  int descriptor = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (descriptor < 0) return false;
  connections_[index].descriptor = descriptor;
  // Connects while it still blocks: a full backlog then means to wait, not to fail.
  if (connect(descriptor, reinterpret_cast<sockaddr*>(&address), sizeof address) < 0) return false;
  if (fcntl(descriptor, F_SETFL, O_NONBLOCK) < 0) return false;
  epoll_event event{.events = EPOLLIN, .data = {.u64 = index}};
  return epoll_ctl(epoll_, EPOLL_CTL_ADD, descriptor, &event) == 0;
}

bool Load::connect_all() {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGTERM);
  sigaddset(&set, SIGINT);
  sigprocmask(SIG_BLOCK, &set, nullptr);
  signals_ = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
  epoll_ = epoll_create1(EPOLL_CLOEXEC);
  epoll_event event{.events = EPOLLIN, .data = {.u64 = kSignal}};
  if (epoll_ < 0 || signals_ < 0 || epoll_ctl(epoll_, EPOLL_CTL_ADD, signals_, &event) < 0) {
    std::fprintf(stderr, "bench_load: cannot set up: %s\n", std::strerror(errno));
    return false;
  }
  connections_.resize(options_.connections);
  for (size_t i = 0; i < connections_.size(); ++i) {
    if (connect_one(i)) continue;
    std::fprintf(stderr, "bench_load: connection %zu to %s: %s%s\n", i + 1, options_.socket.c_str(),
                 std::strerror(errno), errno == EMFILE ? " (raise it with ulimit -n)" : "");
    return false;
  }
  return true;
}

bool Load::wants_more(uint64_t time) const {
  if (stopped_) return false;
  return options_.requests > 0 ? asked_ < options_.requests : time < measure_until_;
}

void Load::ask(Connection& connection, uint64_t time) {
  std::string_view request = maker_.next();
  // With one request in flight its socket is empty, so that the kernel takes it whole or not at
  // all.
  ssize_t sent = send(connection.descriptor, request.data(), request.size(), MSG_NOSIGNAL);
  if (sent != static_cast<ssize_t>(request.size()))
    return lose(connection, sent < 0 ? std::strerror(errno) : "a request was taken in part only");
  connection.asked_at = time;
  ++asked_;
  ++in_flight_;
}

void Load::lose(Connection& connection, const char* why) {
  if (lost_++ == 0) std::fprintf(stderr, "bench_load: lost a connection: %s\n", why);
  if (connection.asked_at != 0) {
    ++unanswered_;
    --in_flight_;
  }
  connection.asked_at = 0;
  close(connection.descriptor);  // leaves the epoll by itself
}

void Load::on_reply(Connection& connection, std::string_view reply, uint64_t time) {
  if (connection.asked_at == 0) return lose(connection, "a reply that nobody had asked for");
  tally_.count(reply);
  if (time >= measure_from_ && time <= measure_until_) {
    latencies_.record(time - connection.asked_at);
    last_reply_ = time;
  }
  connection.asked_at = 0;
  --in_flight_;
  if (wants_more(time)) ask(connection, time);
}

void Load::on_readable(Connection& connection) {
  std::array<char, 4096> octets;
  ssize_t size = recv(connection.descriptor, octets.data(), octets.size(), 0);
  if (size < 0 && (errno == EAGAIN || errno == EINTR)) return;
  if (size <= 0) return lose(connection, size == 0 ? "closed by the server" : std::strerror(errno));
  uint64_t time = now();
  std::string_view reply(octets.data(), static_cast<size_t>(size));
  if (connection.begun.empty() && reply.ends_with("\n\n")) return on_reply(connection, reply, time);
  connection.begun += reply;
  if (connection.begun.size() > octets.size()) return lose(connection, "a reply without an end");
  if (!connection.begun.ends_with("\n\n")) return;
  std::string whole;
  whole.swap(connection.begun);
  on_reply(connection, whole, time);
}

// Deals with what has come; false if nothing came in time.
bool Load::wait(int milliseconds) {
  std::array<epoll_event, 1024> events;
  int count = epoll_wait(epoll_, events.data(), events.size(), milliseconds);
  for (int i = 0; i < count; ++i) {
    uint64_t mark = events[static_cast<size_t>(i)].data.u64;
    if (mark != kSignal) {
      on_readable(connections_[mark]);
      continue;
    }
    signalfd_siginfo signal{};
    stopped_ = read(signals_, &signal, sizeof signal) > 0 || stopped_;
  }
  return count != 0;
}

void Load::run() {
  uint64_t start = now();
  measure_from_ = start + static_cast<uint64_t>(options_.warmup * 1e9);
  measure_until_ = options_.requests > 0
                       ? UINT64_MAX
                       : measure_from_ + static_cast<uint64_t>(options_.seconds * 1e9);
  for (Connection& connection : connections_)
    if (wants_more(start)) ask(connection, now());
  while (in_flight_ > 0 && wait(kPatience)) {
  }
  unanswered_ += in_flight_;
}

// Keeps the connections as they are; one that the server closes meanwhile is lost.
void Load::hold() {
  std::printf("ready %zu\n", connections_.size() - lost_);
  std::fflush(stdout);
  uint64_t until = now() + static_cast<uint64_t>(options_.seconds * 1e9);
  for (uint64_t time = now(); !stopped_ && time < until; time = now())
    wait(static_cast<int>((until - time) / 1'000'000 + 1));
}

void Load::report() const {
  uint64_t end = options_.requests > 0 || stopped_ ? last_reply_ : measure_until_;
  double elapsed = end > measure_from_ ? static_cast<double>(end - measure_from_) / 1e9 : 0;
  if (options_.json) {
    report_json(elapsed);
  } else {
    report_text(elapsed);
  }
}

void Load::report_text(double elapsed) const {
  auto microseconds = [&](double quantile) {
    return static_cast<double>(latencies_.quantile(quantile)) / 1e3;
  };
  double total = static_cast<double>(latencies_.total());
  std::printf("%.0f requests/s on %llu connections (%.0f in %.2f s, own CPU %.2f s)\n",
              elapsed > 0 ? total / elapsed : 0,
              static_cast<unsigned long long>(options_.connections), total, elapsed, cpu_seconds());
  std::printf("latency in us: p50 %.1f  p99 %.1f  p99.9 %.1f  max %.1f\n", microseconds(0.5),
              microseconds(0.99), microseconds(0.999),
              static_cast<double>(latencies_.maximum()) / 1e3);
  for (const auto& [word, count] : tally_.words())
    std::printf("%s: %llu\n", word.c_str(), static_cast<unsigned long long>(count));
  std::printf("malformed: %llu, unanswered: %llu, connections lost: %llu\n",
              static_cast<unsigned long long>(tally_.malformed()),
              static_cast<unsigned long long>(unanswered_), static_cast<unsigned long long>(lost_));
  if (tally_.malformed() > 0)
    std::printf("first malformed: \"%s\"\n", tally_.first_malformed().c_str());
}

void Load::report_json(double elapsed) const {
  auto microseconds = [&](double quantile) {
    return static_cast<double>(latencies_.quantile(quantile)) / 1e3;
  };
  double total = static_cast<double>(latencies_.total());
  std::string words;
  for (const auto& [word, count] : tally_.words())
    words += (words.empty() ? "\"" : ", \"") + word + "\": " + std::to_string(count);
  // No text of the server gets here but words of letters and digits, and the malformed one,
  // escaped.
  std::string malformed = tally_.first_malformed();
  for (size_t i = 0; (i = malformed.find('\\', i)) != malformed.npos; i += 2)
    malformed.insert(i, 1, '\\');
  std::printf(
      "{\"connections\": %llu, \"requests\": %.0f, \"asked\": %llu, \"seconds\": %.6f, \"rate\": "
      "%.1f, ",
      static_cast<unsigned long long>(options_.connections), total,
      static_cast<unsigned long long>(asked_), elapsed, elapsed > 0 ? total / elapsed : 0);
  std::printf("\"p50_us\": %.3f, \"p99_us\": %.3f, \"p999_us\": %.3f, \"max_us\": %.3f, ",
              microseconds(0.5), microseconds(0.99), microseconds(0.999),
              static_cast<double>(latencies_.maximum()) / 1e3);
  std::printf("\"actions\": {%s}, \"malformed\": %llu, \"first_malformed\": \"%s\", ",
              words.c_str(), static_cast<unsigned long long>(tally_.malformed()),
              malformed.c_str());
  std::printf("\"unanswered\": %llu, \"lost\": %llu, \"cpu_seconds\": %.3f}\n",
              static_cast<unsigned long long>(unanswered_), static_cast<unsigned long long>(lost_),
              cpu_seconds());
}

}  // namespace
}  // namespace policyd::bench

int main(int argc, char** argv) {
  using namespace policyd::bench;
  if (argc == 2 && std::string_view(argv[1]) == "--help") {
    print_load_usage();
    return 0;
  }
  auto options = parse_load_options(argc, argv);
  if (!options) return 2;
  Load load(*options);
  if (!load.connect_all()) return 1;
  load.run();
  if (options->idle) load.hold();
  load.report();
  return load.is_clean() ? 0 : 1;
}
