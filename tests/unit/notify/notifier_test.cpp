// The notifier: what is told to whom how often, and what becomes of commands that fail.
#include "policyd/notify/notifier.h"

#include <doctest/doctest.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <sstream>

#include "policyd/notify/event.h"
#include "tests/support/captured_log.h"
#include "tests/support/fake_clock.h"
#include "tests/support/fake_store.h"
#include "tests/support/no_sigpipe.h"
#include "tests/support/run_task.h"
#include "tests/support/temporary_directory.h"

using namespace policyd;

namespace {

Event limit_of(std::string account) {
  return {EventKind::limit, std::move(account), "over the limit", {{"limit", "60/1m"}}};
}

struct Rig {
  // `script` is given its folder as $0.
  explicit Rig(const std::string& script, Milliseconds timeout = std::chrono::minutes{1}) : script_(script) {
    const Config::Notify config{{"/bin/sh", "-c", script, directory.path()}, timeout, std::chrono::hours{1}};
    notifier = std::make_unique<Notifier>(loop, clock, store, "mx1", config);
  }
  // The lines of all that was told.
  [[nodiscard]] std::string told() const {
    std::ifstream file(directory.file("told"));
    std::ostringstream text;
    text << file.rdbuf();
    return text.str();
  }
  void until_idle() {
    loop.turn_until([this] { return notifier->waiting() == 0 && notifier->running() == 0; });
  }

  test::NoSigpipe no_sigpipe;
  test::TestLoop loop;
  test::FakeClock clock;
  test::FakeStore store;
  test::TemporaryDirectory directory;
  test::CapturedLog log;
  std::string script_;
  std::unique_ptr<Notifier> notifier;
};

constexpr const char* kAppend = "cat >> $0/told";

}  // namespace

TEST_CASE("notifier: what is wanted again is so in the store, too") {
  Rig rig(kAppend);
  rig.store.gate.close();
  rig.notifier->tell(limit_of("joe@example.com"));
  rig.loop.turn_until([&rig] { return rig.store.gate.waiting() == 1; });
  rig.clock.advance(std::chrono::seconds{10});
  rig.store.gate.open();  // claimed for an hour from here on
  rig.until_idle();
  rig.clock.advance(std::chrono::minutes{60} - std::chrono::milliseconds{1});
  CHECK_FALSE(rig.notifier->wants(EventKind::limit, "joe@example.com"));
  rig.clock.advance(std::chrono::milliseconds{1});
  CHECK(rig.notifier->wants(EventKind::limit, "joe@example.com"));
}

TEST_CASE("notifier: an event is one JSON object on a line") {
  Rig rig(kAppend);
  rig.notifier->tell(limit_of("joe@example.com"));
  CHECK(rig.notifier->waiting() == 1);  // never from within the caller's turn
  rig.until_idle();
  const std::string told = rig.told();
  CHECK(told.ends_with("}\n"));
  const auto event = nlohmann::json::parse(told);
  CHECK(event == nlohmann::json{{"event", "limit"},
                                {"account", "joe@example.com"},
                                {"text", "over the limit"},
                                {"node", "mx1"},
                                {"time", "2026-11-21T10:00:00Z"},
                                {"details", {{"limit", "60/1m"}}}});
  CHECK(rig.log.warnings().empty());
}

TEST_CASE("notifier: text that is no UTF-8 does no harm") {
  Rig rig(kAppend);
  rig.notifier->tell(limit_of("joe\xff\n@example.com"));
  rig.until_idle();
  CHECK(nlohmann::json::parse(rig.told())["account"] == "joe\xef\xbf\xbd\n@example.com");
}

TEST_CASE("notifier: the same kind and account is told once in its time, and by one node") {
  Rig rig(kAppend);
  rig.notifier->tell(limit_of("joe@example.com"));
  CHECK_FALSE(rig.notifier->wants(EventKind::limit, "joe@example.com"));
  CHECK(rig.notifier->wants(EventKind::lock, "joe@example.com"));
  CHECK(rig.notifier->wants(EventKind::limit, "ann@example.com"));
  rig.notifier->tell(limit_of("joe@example.com"));
  rig.notifier->tell(limit_of("ann@example.com"));
  rig.notifier->tell({EventKind::list_suspended, {}, "a list", {{"list", "bl.example"}}});
  rig.notifier->tell({EventKind::list_suspended, {}, "another", {{"list", "other.example"}}});
  rig.notifier->tell({EventKind::list_suspended, {}, "again", {{"list", "bl.example"}}});
  rig.until_idle();
  const std::string told = rig.told();
  CHECK(std::count(told.begin(), told.end(), '\n') == 4);
  CHECK(rig.store.claimed == std::vector<std::string>{"limit:joe@example.com", "limit:ann@example.com",
                                                      "list_suspended:bl.example", "list_suspended:other.example"});
  rig.clock.advance(std::chrono::hours{1});
  rig.store.gives_claims = false;  // another node was first
  rig.notifier->tell(limit_of("joe@example.com"));
  rig.until_idle();
  CHECK(rig.told() == told);
}

TEST_CASE("notifier: without a command nobody is told") {
  Rig rig(kAppend);
  rig.notifier->reconfigure({{}, std::chrono::seconds{10}, std::chrono::hours{1}});
  CHECK_FALSE(rig.notifier->wants(EventKind::limit, "joe@example.com"));
  rig.notifier->tell(limit_of("joe@example.com"));
  CHECK(rig.notifier->waiting() == 0);
}

TEST_CASE("notifier: a command that fails is logged with its status and its first words") {
  Rig rig("echo 'no \"mail\" today' >&2; exit 75");
  rig.notifier->tell(limit_of("joe@example.com"));
  rig.until_idle();
  REQUIRE(rig.log.warnings().size() == 1);
  CHECK(rig.log.warnings().front() ==
        "error: notify: \"limit:joe@example.com\" was not told: /bin/sh ended with exit status 75: "
        "\"no \\\"mail\\\" today\"");
}

TEST_CASE("notifier: a command that is not there, and one that hangs") {
  Rig rig("exec sleep 1000", std::chrono::milliseconds{50});
  rig.notifier->tell(limit_of("joe@example.com"));
  rig.until_idle();
  rig.notifier->reconfigure({{"/nonexistent"}, std::chrono::seconds{10}, std::chrono::hours{1}});
  rig.notifier->tell(limit_of("ann@example.com"));
  rig.until_idle();
  CHECK(rig.log.warnings() ==
        std::vector<std::string>{
            "error: notify: \"limit:joe@example.com\" was not told: /bin/sh took longer than 50ms and was ended",
            "error: notify: \"limit:ann@example.com\" was not told: /nonexistent cannot be started: no such file or "
            "directory"});
}

TEST_CASE("notifier: a few commands at a time, and a queue with an end") {
  Rig rig("echo started >> $0/started; while [ ! -e $0/gate ]; do sleep 0.02; done; cat >> $0/told");
  rig.store.gate.close();
  for (size_t i = 0; i < Notifier::kMostWaiting + 7; ++i) rig.notifier->tell(limit_of("u" + std::to_string(i)));
  CHECK(rig.notifier->waiting() == Notifier::kMostWaiting);
  CHECK(rig.log.warnings() ==
        std::vector<std::string>{"error: notify: 1000 events wait to be told; further ones are told to nobody"});
  rig.loop.turn_until([&] { return rig.notifier->running() == Notifier::kMostRunning; });
  rig.store.gate.open();
  const Task<void> stopping = rig.notifier->stop();
  stopping.start();
  rig.loop.turn_until([&] { return stopping.done(); });
  CHECK(rig.notifier->running() == 0);
  const auto& lines = rig.log.lines();
  CHECK(std::count(lines.begin(), lines.end(), "warning: notify: 996 events are told to nobody: policyd ends") == 1);
}

TEST_CASE("notifier: stopping ends what runs") {
  Rig rig(": > $0/running; exec sleep 1000");
  rig.notifier->tell(limit_of("joe@example.com"));
  rig.loop.turn_until([&] { return access(rig.directory.file("running").c_str(), F_OK) == 0; });
  const Task<void> stopping = rig.notifier->stop();
  stopping.start();
  rig.loop.turn_until([&] { return stopping.done(); });
  CHECK(rig.log.warnings() ==
        std::vector<std::string>{"error: notify: \"limit:joe@example.com\" was not told: /bin/sh was ended"});
  rig.notifier->tell(limit_of("ann@example.com"));
  CHECK(rig.notifier->waiting() == 0);
}
