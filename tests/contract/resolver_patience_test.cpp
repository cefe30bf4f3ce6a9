// The resolver while its server is silent: who asks is not kept waiting, the server is asked all the same.
#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "policyd/dns/cares.h"
#include "policyd/dns/patience.h"
#include "tests/support/captured_log.h"
#include "tests/support/dns_server.h"
#include "tests/support/fake_clock.h"
#include "tests/support/run_task.h"

namespace policyd {
namespace {

using test::DnsServer;

constexpr Milliseconds kTimeout{2'000};
constexpr const char* kZones = R"({"example.com": {"A": ["192.0.2.1"]}})";
constexpr const char* kSilent = R"({"answer": "timeout"})";

Task<DnsStatus> look_up(Resolver& resolver, std::string name) {
  DnsLookup lookup = resolver.query(name, DnsType::a);
  const DnsAnswerPtr answer = co_await lookup;
  co_return answer->status;
}

// A resolver that has met silence: its patience is short.
struct Rig {
  Rig() {
    REQUIRE(resolver.reconfigure({{server.address()}, kTimeout, 1000}).ok());
    server.change(kSilent);
    std::vector<Task<DnsStatus>> asking;
    for (int i = 0; i < Patience::kSilences; ++i) {
      asking.push_back(look_up(resolver, "gone" + std::to_string(i) + ".example"));
    }
    for (const auto& one : asking) one.start();
    for (const auto& one : asking) {
      loop.turn_until([&one] { return one.done(); });
      CHECK(one.result() == DnsStatus::timed_out);
    }
    loop.turn_until([this] { return log.lines().size() == 1; });
    CHECK(log.lines()[0] == "warning: dns: " + server.address() + " did not answer 4 queries in a row; until one is "
                            "answered, others are waited for 200ms instead of 2s");
  }
  void until_it_is_whole() {
    loop.turn_until([this] { return log.lines().size() == 2; });
    CHECK(log.lines()[1] == "info: dns: " + server.address() + " answers again; a query is waited for 2s");
  }

  DnsServer server{kZones};
  test::TestLoop loop;
  test::CapturedLog log;
  test::FakeClock clock;
  CaresResolver resolver{loop, clock};
};

TEST_CASE("resolver patience: a server that stays silent keeps nobody waiting for the whole time-out") {
  Rig rig;
  CaresResolver patient(rig.loop, rig.clock);
  REQUIRE(patient.reconfigure({{rig.server.address()}, kTimeout, 1000}).ok());
  const auto whole = look_up(patient, "next.example"), shortened = look_up(rig.resolver, "next.example");
  whole.start();
  shortened.start();
  rig.loop.turn_until([&] { return whole.done() || shortened.done(); });
  REQUIRE(shortened.done());
  CHECK_FALSE(whole.done());
  CHECK(shortened.result() == DnsStatus::timed_out);
}

TEST_CASE("resolver patience: a server that is back is found with the next query") {
  Rig rig;
  rig.server.change(R"({"answer": ""})");
  CHECK(rig.loop.run(look_up(rig.resolver, "example.com")) == DnsStatus::found);
  rig.until_it_is_whole();
}

TEST_CASE("resolver patience: SERVFAIL is an answer too") {
  Rig rig;
  rig.server.change(R"({"answer": "servfail"})");
  CHECK(rig.loop.run(look_up(rig.resolver, "example.com")) == DnsStatus::server_failure);
  rig.until_it_is_whole();
}

// Nobody asks again: the answer is to the query that nobody waits for any more.
TEST_CASE("resolver patience: an answer that comes after that makes it whole") {
  Rig rig;
  rig.server.change(R"({"answer": "", "delay": 0.5})");
  rig.loop.run(look_up(rig.resolver, "example.com"));
  rig.until_it_is_whole();
}

TEST_CASE("resolver patience: what has been given up and is still asked has a bound") {
  DnsServer server(kZones);
  server.change(kSilent);
  test::TestLoop loop;
  CaresUpstream upstream(loop);
  REQUIRE(upstream.reconfigure({server.address()}, std::chrono::seconds(20)).ok());
  const auto name = *DnsName::parse("example.com");
  std::vector<DnsStatus> statuses;
  for (size_t i = 0; i <= CaresUpstream::kMostUnderWay; ++i) {
    upstream.ask(name, DnsType::a, [&statuses](const DnsReply& reply) { statuses.push_back(reply.answer.status); });
  }
  loop.turn_until([&] { return !statuses.empty(); });
  CHECK(statuses == std::vector{DnsStatus::overloaded});
}

}  // namespace
}  // namespace policyd
