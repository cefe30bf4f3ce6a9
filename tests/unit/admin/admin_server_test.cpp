// The admin API served: sockets and their files, requests from other threads, and an end while some
// are under way.
#include "policyd/admin/admin_server.h"

#include <atomic>
#include <cstring>
#include <doctest/doctest.h>
#include <fstream>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <thread>
#include <unistd.h>

#include "policyd/checks/check.h"
#include "tests/support/fake_clock.h"
#include "tests/support/fake_resolver.h"
#include "tests/support/run_task.h"
#include "tests/support/temporary_directory.h"

using namespace policyd;

namespace {

// A store that answers nothing where it is told to be stuck.
class StubStore final : public Store {
 public:
  bool stuck = false;
  bool asked = false;

  Result<void> start() override { return {}; }
  Task<void> stop() override { co_return; }
  Task<ChargeResult> charge(const Charge&) override { co_return ChargeResult{}; }
  Task<GreylistResult> greylist(const GreylistAttempt&) override { co_return GreylistResult{}; }
  Task<Result<void>> put_block(Block) override { co_return Result<void>(); }
  Task<Result<bool>> remove_block(BlockTarget) override {
    co_return Error{"the store is read-only"};
  }
  Task<Result<LockOutcome>> lock(LockRequest) override { co_return LockOutcome{}; }
  Task<Result<std::optional<Lock>>> unlock(std::string, std::string) override { co_return std::optional<Lock>(); }
  Task<Result<std::vector<Lock>>> end_locks() override { co_return std::vector<Lock>(); }
  Task<Result<std::vector<LockEvent>>> lock_history(std::string) override { co_return std::vector<LockEvent>(); }
  Task<Result<void>> put_setting(std::string, std::string, std::string) override {
    co_return Result<void>();
  }
  Task<Result<bool>> remove_setting(std::string, std::string) override { co_return true; }
  Task<Result<AccountPage>> list_usage(size_t) override { co_return AccountPage(); }
  Task<Result<AccountUsage>> usage(std::string) override { co_return AccountUsage(); }
  Task<Result<bool>> reset_usage(std::string) override { co_return true; }
  Task<bool> claim(std::string, Milliseconds) override { co_return true; }
  Task<Result<void>> add_report(ReportBatch) override { co_return Result<void>(); }
  Task<Result<ReportHours>> report(ReportKind, WallTime) override { co_return ReportHours(); }
  Task<Result<void>> add_journal(JournalBatch) override { co_return Result<void>(); }
  Task<Result<JournalPage>> journal(JournalRange) override { co_return JournalPage(); }
  Task<Result<std::vector<NodeInfo>>> nodes() override {
    asked = true;
    if (stuck) co_await std::suspend_always{};
    co_return std::vector<NodeInfo>();
  }
  [[nodiscard]] StoreStatus status() const override { return {}; }
};

std::shared_ptr<const Config> default_config() {
  auto parsed = parse_config("", "test.toml", check_specs());
  return std::make_shared<const Config>(std::get<Config>(std::move(parsed)));
}

struct Rig {
  test::TestLoop loop;
  test::TemporaryDirectory directory;
  test::FakeClock clock;
  Mirror mirror{clock};
  StubStore store;
  test::FakeResolver resolver;
  Zones zones{resolver, clock};
  Warden warden{loop, store, mirror, nullptr, "mx1"};
  Engine engine{default_config(), {mirror, store, resolver, zones, clock, loop, warden}};
  Reporter reporter{loop, clock, engine.tally(), store};
  Journal journal{loop, clock, store, "mx1"};
  std::string path = directory.file("admin.sock");

  [[nodiscard]] Result<std::unique_ptr<AdminServer>> start() { return start("unix:" + path); }
  [[nodiscard]] Result<std::unique_ptr<AdminServer>> start(const std::string& endpoint) {
    const AdminContext context{
        engine, store, mirror, clock, resolver, clock.wall(), "mx1", [] { return ListenerStatistics(); },
        [] { return ResolverStatus(); }, reporter, warden, journal};
    const Config::Admin config{{*Endpoint::parse(endpoint)}, 0640};
    return AdminServer::start(loop, context, config);
  }
  std::string error(const std::string& endpoint) {
    const auto started = start(endpoint);
    return started ? "started" : started.error().message;
  }
};

int connected_to(const std::string& path) {
  const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::strncpy(address.sun_path, path.c_str(), sizeof address.sun_path - 1);
  if (connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0) return fd;
  close(fd);
  return -1;
}

// Wakes the loop from another thread.
class Nudge {
 public:
  explicit Nudge(uv_loop_t* loop) { uv_async_init(loop, handle_, nullptr); }
  ~Nudge() {
    uv_close(reinterpret_cast<uv_handle_t*>(handle_),
             [](uv_handle_t* handle) { delete reinterpret_cast<uv_async_t*>(handle); });
  }
  void send() { uv_async_send(handle_); }

 private:
  uv_async_t* handle_ = new uv_async_t;
};

// Sends `octets` from a thread of its own and keeps all that comes back until the peer closes.
class HttpClient {
 public:
  HttpClient(const std::string& path, std::string octets, Nudge* when_done = nullptr)
      : thread_([this, path, octets = std::move(octets), when_done] {
          const int fd = connected_to(path);
          if (fd >= 0) {
            static_cast<void>(::send(fd, octets.data(), octets.size(), MSG_NOSIGNAL));
            char part[4096];
            ssize_t got = 0;
            while ((got = read(fd, part, sizeof part)) > 0)
              received_.append(part, static_cast<size_t>(got));
            close(fd);
          }
          done_ = true;
          if (when_done) when_done->send();
        }) {}
  ~HttpClient() { thread_.join(); }
  [[nodiscard]] bool done() const { return done_; }
  [[nodiscard]] const std::string& received() const { return received_; }  // once done

 private:
  std::string received_;
  std::atomic<bool> done_ = false;
  std::thread thread_;
};

std::string request_for(const std::string& method, const std::string& target,
                        const std::string& body = {}) {
  return method + " " + target +
         " HTTP/1.1\r\nHost: policyd\r\nConnection: close\r\nContent-Length: " +
         std::to_string(body.size()) + "\r\n\r\n" + body;
}

std::string answer_of(Rig& rig, const std::string& octets) {
  Nudge nudge(rig.loop);
  const HttpClient client(rig.path, octets, &nudge);
  rig.loop.turn_until([&] { return client.done(); });
  return client.received();
}

}  // namespace

TEST_CASE(
    "admin_server: requests are answered, and the socket's file has the mode asked for and goes in "
    "the end") {
  Rig rig;
  auto server = rig.start();
  REQUIRE_MESSAGE(server.ok(), server.error().message);
  struct stat status {};
  REQUIRE(lstat(rig.path.c_str(), &status) == 0);
  CHECK((status.st_mode & 07777) == 0640);

  const std::string found = answer_of(rig, request_for("GET", "/v1/status"));
  CHECK(found.starts_with("HTTP/1.1 200 OK\r\n"));
  CHECK(found.find("\r\nContent-Type: application/json\r\n") != std::string::npos);
  CHECK(found.find("{\"node\":\"mx1\",") != std::string::npos);
  const std::string refused = answer_of(rig, request_for("DELETE", "/v1/blocks/email/a@b.example"));
  CHECK(refused.starts_with("HTTP/1.1 503 "));
  CHECK(refused.ends_with("{\"error\":\"the store is read-only\"}\n"));
  const std::string methods = answer_of(rig, request_for("DELETE", "/v1/blocks"));
  CHECK(methods.starts_with("HTTP/1.1 405 "));
  CHECK(methods.find("\r\nAllow: GET, POST\r\n") != std::string::npos);
  const std::string encoded =
      answer_of(rig, request_for("GET", "/v1/blocks/client/192.0.2.0%2F24"));
  CHECK(encoded.ends_with("{\"error\":\"there is no block client:192.0.2.0/24\"}\n"));

  server->reset();
  CHECK(lstat(rig.path.c_str(), &status) != 0);
}

TEST_CASE("admin_server: a body is taken up to 1 MiB") {
  Rig rig;
  const auto server = rig.start();
  REQUIRE(server.ok());
  const std::string fits(HttpServer::kLargestBody, 'x');
  CHECK(answer_of(rig, request_for("POST", "/v1/check", fits)).starts_with("HTTP/1.1 400 "));
  CHECK(answer_of(rig, request_for("POST", "/v1/check", fits + "x")).starts_with("HTTP/1.1 413 "));
}

TEST_CASE("admin_server: what is no HTTP costs its own connection only") {
  Rig rig;
  const auto server = rig.start();
  REQUIRE(server.ok());
  answer_of(rig, "nonsense\r\n\r\n");
  answer_of(rig, "GET " + std::string(100'000, 'x') + " HTTP/1.1\r\n\r\n");
  CHECK(answer_of(rig, request_for("GET", "/v1")).starts_with("HTTP/1.1 200 OK\r\n"));
}

TEST_CASE("admin_server: it can be destroyed while requests wait for the loop") {
  Rig rig;
  rig.store.stuck = true;
  auto server = rig.start();
  REQUIRE(server.ok());
  const HttpClient begun(rig.path, request_for("GET", "/v1/status"));
  rig.loop.turn_until([&] { return rig.store.asked; });
  const HttpClient waiting(
      rig.path, request_for("GET", "/v1/status"));  // the loop may not get to it any more
  const HttpClient half(rig.path, "POST /v1/check HTTP/1.1\r\nContent-Length: 10\r\n\r\nabc");
  server->reset();
  for (const HttpClient* client : {&begun, &waiting, &half}) {
    while (!client->done()) std::this_thread::yield();
  }
}

TEST_CASE("admin_server: a socket that a dead process left behind is replaced") {
  Rig rig;
  const int left = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::strncpy(address.sun_path, rig.path.c_str(), sizeof address.sun_path - 1);
  REQUIRE(bind(left, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0);
  close(left);
  const auto server = rig.start();
  REQUIRE_MESSAGE(server.ok(), server.error().message);
  CHECK(answer_of(rig, request_for("GET", "/v1")).starts_with("HTTP/1.1 200 OK\r\n"));
}

TEST_CASE("admin_server: where it cannot listen it says where, why and what to do") {
  Rig rig;
  const std::string endpoint = "unix:" + rig.path;
  {
    const auto first = rig.start();
    REQUIRE(first.ok());
    CHECK(rig.error(endpoint) == "another policyd is listening on " + endpoint +
                                     "; stop it, or set admin.listen to another path for this one");
    CHECK(access(rig.path.c_str(), F_OK) == 0);  // and leaves the other's file alone
  }
  std::ofstream(rig.path) << "precious";
  CHECK(rig.error(endpoint) ==
        "cannot listen on " + endpoint +
            ": a file that is no socket is there; remove it, or set admin.listen to another path");
  CHECK(access(rig.path.c_str(), F_OK) == 0);
  const std::string nowhere = "unix:" + rig.directory.file("no/such.sock");
  CHECK(rig.error(nowhere) ==
        "cannot listen on " + nowhere +
            ": No such file or directory; its directory does not exist: create it, or set "
            "admin.listen to another path");
  CHECK(rig.error("inet:127.0.0.1:0") ==
        "admin.listen: inet:127.0.0.1:0 is no unix socket; the admin API has no "
        "authentication but the socket's file mode");
}
