// The resolver against a DNS server that the test makes answer, lie, fail and keep silent (dns_server.py).
#include <doctest/doctest.h>

#include <algorithm>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "policyd/async/timer.h"
#include "policyd/dns/cares.h"
#include "tests/support/dns_server.h"
#include "tests/support/fake_clock.h"
#include "tests/support/run_task.h"

namespace policyd {
namespace {

using test::DnsServer;
using test::TestLoop;

constexpr Milliseconds kLong{20'000};  // never reached where an answer comes
constexpr Milliseconds kShort{300};    // where none comes

constexpr const char* kZones = R"({
  "example.com": {"A": ["192.0.2.1", "192.0.2.2"], "AAAA": ["2001:db8::1"], "SOA": {"ttl": 300, "minimum": 60},
                  "MX": ["20 b.example.com", "10 A.Example.com"], "TXT": ["v=spf1 -all", ["one ", "two"]]},
  "1.2.0.192.in-addr.arpa": {"PTR": ["Mail.Example.com"]},
  "alias.example.com": {"CNAME": "example.com"},
  "astray.example.com": {"CNAME": "elsewhere.invalid"},
  "noaddress.example.com": {"CNAME": "txtonly.example.com"},
  "txtonly.example.com": {"TXT": ["only"]},
  "xn--mnchen-3ya.example": {"A": ["192.0.2.7"]},
  "_dmarc.example.com": {"TXT": ["v=DMARC1"]},
  "back\\slash.example.com": {"A": ["192.0.2.8"]},
  "servfail.test": {"answer": "servfail"}, "refused.test": {"answer": "refused"}, "notimp.test": {"answer": "notimp"},
  "formerr.test": {"answer": "formerr"}, "garbage.test": {"answer": "garbage", "A": ["192.0.2.1"]},
  "other.test": {"answer": "other_name"}, "cut.test": {"answer": "truncate", "TXT": ["over TCP"]},
  "hangup.test": {"answer": "close", "TXT": ["x"]},
  "silent.test": {"answer": "timeout"}, "short.test": {"answer": "short"}, "wrong-id.test": {"answer": "wrong_id"},
  "wrong-question.test": {"answer": "wrong_question"}, "lost.test": {"answer": "drop:1", "A": ["192.0.2.9"]},
  "old.test": {"answer": "formerr_edns", "A": ["192.0.2.10"]}
})";

Task<DnsAnswerPtr> look_up(Resolver& resolver, std::string name, DnsType type) {
  DnsLookup lookup = resolver.query(name, type);
  co_return co_await lookup;
}

struct Rig {
  Rig(const std::vector<std::string>& servers, Milliseconds timeout, size_t cache = 1000) {
    const auto configured = resolver.reconfigure({servers, timeout, cache});
    REQUIRE_MESSAGE(configured.ok(), (configured ? "" : configured.error().message));
  }
  DnsAnswer ask(const std::string& name, DnsType type) { return *loop.run(look_up(resolver, name, type)); }

  TestLoop loop;
  test::FakeClock clock;
  CaresResolver resolver{loop, clock};
};

std::vector<std::string> texts_of(const std::vector<IpAddress>& addresses) {
  std::vector<std::string> texts;
  for (const IpAddress& address : addresses) texts.push_back(address.to_string());
  return texts;
}

TEST_CASE("resolver: every type is found, names in lower case, exchangers by preference, strings joined") {
  DnsServer server(kZones);
  Rig rig({server.address()}, kLong);
  CHECK(texts_of(rig.ask("Example.COM", DnsType::a).addresses) == std::vector<std::string>{"192.0.2.1", "192.0.2.2"});
  CHECK(texts_of(rig.ask("example.com.", DnsType::aaaa).addresses) == std::vector<std::string>{"2001:db8::1"});
  CHECK(rig.ask("example.com", DnsType::mx).exchangers ==
        std::vector<MailExchanger>{{10, "a.example.com"}, {20, "b.example.com"}});
  CHECK(rig.ask("example.com", DnsType::txt).texts == std::vector<std::string>{"v=spf1 -all", "one two"});
  CHECK(rig.ask("1.2.0.192.in-addr.arpa", DnsType::ptr).texts == std::vector<std::string>{"mail.example.com"});
  CHECK(rig.ask("_dmarc.example.com", DnsType::txt).texts == std::vector<std::string>{"v=DMARC1"});
  CHECK(texts_of(rig.ask("alias.example.com", DnsType::a).addresses).size() == 2);
  CHECK(texts_of(rig.ask("münchen.example", DnsType::a).addresses) == std::vector<std::string>{"192.0.2.7"});
  CHECK(texts_of(rig.ask("MÜNCHEN.example", DnsType::a).addresses) == std::vector<std::string>{"192.0.2.7"});
  CHECK(texts_of(rig.ask("back\\slash.example.com", DnsType::a).addresses) == std::vector<std::string>{"192.0.2.8"});
}

TEST_CASE("resolver: what cannot be found is told apart") {
  struct Case {
    const char* name;
    DnsType type;
    DnsStatus want;
  };
  const Case cases[] = {
      {"nothing.example.com", DnsType::a, DnsStatus::no_domain},
      {"txtonly.example.com", DnsType::a, DnsStatus::no_data},
      {"0.192.in-addr.arpa", DnsType::ptr, DnsStatus::no_data},  // an empty non-terminal
      {"astray.example.com", DnsType::a, DnsStatus::no_domain},
      {"noaddress.example.com", DnsType::a, DnsStatus::no_data},
      {"other.test", DnsType::a, DnsStatus::malformed},
      {"servfail.test", DnsType::a, DnsStatus::server_failure},
      {"refused.test", DnsType::a, DnsStatus::server_failure},
      {"notimp.test", DnsType::a, DnsStatus::server_failure},
      {"formerr.test", DnsType::a, DnsStatus::server_failure},
      {"garbage.test", DnsType::a, DnsStatus::malformed},
      {"hidden.onion", DnsType::a, DnsStatus::no_domain},
      {"two..dots", DnsType::a, DnsStatus::bad_name},
      {"", DnsType::a, DnsStatus::bad_name},
      {"\xff.example.com", DnsType::a, DnsStatus::bad_name},
  };
  DnsServer server(kZones);
  Rig rig({server.address()}, kLong);
  for (const Case& c : cases) {
    CAPTURE(c.name);
    CHECK(rig.ask(c.name, c.type).status == c.want);
  }
  CHECK(server.count("hidden.onion", "A") == 0);
}

TEST_CASE("resolver: no answer, or none that is ours, is timed_out when the time is over") {
  DnsServer server(kZones);
  Rig rig({server.address()}, kShort);
  for (const char* name : {"silent.test", "short.test", "wrong-id.test", "wrong-question.test"}) {
    CAPTURE(name);
    CHECK(rig.ask(name, DnsType::a).status == DnsStatus::timed_out);
    CHECK(server.count(name, "A") == 2);  // it was asked again meanwhile
  }
  CHECK(rig.resolver.statistics().timed_out == 4);
}

TEST_CASE("resolver: a query that got lost is sent again") {
  DnsServer server(kZones);
  Rig rig({server.address()}, Milliseconds{3000});
  CHECK(texts_of(rig.ask("lost.test", DnsType::a).addresses) == std::vector<std::string>{"192.0.2.9"});
}

TEST_CASE("resolver: what is cut over UDP is asked for over TCP") {
  DnsServer server(R"({"long.test": {"TXT": [")" + std::string(60'000, 'x') + R"(", "v=spf1 -all"]},
                       "cut.test": {"answer": "truncate", "TXT": ["over TCP"]},
                       "hangup.test": {"answer": "close", "TXT": [")" + std::string(2000, 'y') + R"("]},
                       "both.test": {"answer": "truncate_both", "TXT": ["x"]}})");
  Rig rig({server.address()}, kLong);
  CHECK(rig.ask("cut.test", DnsType::txt).texts == std::vector<std::string>{"over TCP"});
  const DnsAnswer answer = rig.ask("long.test", DnsType::txt);
  REQUIRE(answer.texts.size() == 2);
  CHECK(answer.texts[0] == std::string(60'000, 'x'));
  CHECK(answer.texts[1] == "v=spf1 -all");
  CHECK(rig.ask("both.test", DnsType::txt).status == DnsStatus::malformed);
  CHECK(rig.ask("hangup.test", DnsType::txt).unknown());
}

TEST_CASE("resolver: answers of up to 1232 octets need no TCP, and a server without EDNS is understood") {
  DnsServer server(R"({"fits.test": {"TXT": [")" + std::string(1000, 'x') + R"("]},
                       "old.test": {"answer": "formerr_edns", "A": ["192.0.2.10"]}})");
  Rig rig({server.address()}, kLong);
  CHECK(rig.ask("fits.test", DnsType::txt).texts == std::vector<std::string>{std::string(1000, 'x')});
  CHECK(server.count("fits.test", "TXT") == 1);
  CHECK(texts_of(rig.ask("old.test", DnsType::a).addresses) == std::vector<std::string>{"192.0.2.10"});
  CHECK(rig.ask("fits.test", DnsType::txt).found());
}

TEST_CASE("resolver: of two servers a silent, failing or closed one keeps nothing from being found") {
  DnsServer good(kZones);
  for (const char* how : {"timeout", "servfail", "refused", "closed"}) {
    CAPTURE(how);
    DnsServer bad("{}");
    const std::string address = bad.address();
    if (how == std::string("closed")) {
      bad.stop();
    } else {
      bad.change("{\"answer\": \"" + std::string(how) + "\"}");
    }
    Rig rig({address, good.address()}, kLong / 4);
    CHECK(rig.ask("example.com", DnsType::a).found());
    CHECK(rig.ask("nothing.example.com", DnsType::a).status == DnsStatus::no_domain);
  }
}

TEST_CASE("resolver: a first server that stays silent is not asked first any more") {
  DnsServer good(R"({"*.test": {"A": ["192.0.2.1"]}})");
  DnsServer silent("{}", {"--answer", "timeout"});
  Rig rig({silent.address(), good.address()}, Milliseconds{3000});
  for (const char* name : {"1.test", "2.test", "3.test", "4.test", "5.test"}) CHECK(rig.ask(name, DnsType::a).found());
  CHECK(silent.count("1.test", "A") == 1);
  CHECK(silent.count("3.test", "A") == 1);
  CHECK(silent.count("5.test", "A") == 0);
}

TEST_CASE("resolver: with all servers gone every answer is a server_failure, until one is back") {
  DnsServer server(kZones);
  DnsServer gone("{}");
  Rig rig({gone.address()}, kLong);
  gone.stop();
  CHECK(rig.ask("example.com", DnsType::a).status == DnsStatus::server_failure);
  rig.clock.advance(std::chrono::seconds{6});
  REQUIRE(rig.resolver.reconfigure({{server.address()}, kLong, 1000}).ok());
  CHECK(rig.ask("example.com", DnsType::a).found());
}

TEST_CASE("resolver: what goes to each server and comes back is counted") {
  DnsServer bad(R"({})", {"--answer", "servfail"});
  DnsServer good(kZones);
  Rig rig({bad.address(), good.address()}, kLong);
  CHECK(rig.resolver.status().servers ==
        std::vector<std::pair<std::string, DnsServerCounts>>{{bad.address(), {}}, {good.address(), {}}});
  CHECK(rig.ask("example.com", DnsType::a).found());
  CHECK(rig.ask("example.com", DnsType::a).found());  // from the cache
  CHECK(rig.ask("none.example.com", DnsType::mx).empty());
  CHECK(rig.ask("cut.test", DnsType::txt).found());
  CHECK(rig.resolver.status().servers == std::vector<std::pair<std::string, DnsServerCounts>>{
                                             {bad.address(), {3, 3, 3}}, {good.address(), {3, 3, 0}}});
  CHECK(rig.resolver.status().counts.hits == 1);
  CHECK(rig.resolver.status().counts.queries == 3);
  CHECK(rig.resolver.status().counts.cached == 3);

  Rig alone({good.address()}, kShort);
  CHECK(alone.ask("silent.test", DnsType::a).status == DnsStatus::timed_out);
  const auto [server, counts] = alone.resolver.status().servers.at(0);
  CHECK(counts.tries > 0);
  CHECK(counts.answers == 0);
  CHECK(alone.resolver.status().counts.timed_out == 1);
}

TEST_CASE("resolver: before it is configured, every answer is a server_failure") {
  TestLoop loop;
  test::FakeClock clock;
  CaresResolver resolver(loop, clock);
  Timer keeps_turning(loop, [] {});
  keeps_turning.every(Milliseconds{10});
  CHECK(loop.run(look_up(resolver, "example.com", DnsType::a))->status == DnsStatus::server_failure);
}

TEST_CASE("resolver: who asks the same at a time shares a query, and may leave while it waits") {
  DnsServer server(kZones, {"--delay", "0.05"});
  Rig rig({server.address()}, kLong);
  std::optional<Task<DnsAnswerPtr>> leaves(look_up(rig.resolver, "example.com", DnsType::a));
  leaves->start();
  const Task<DnsAnswerPtr> stays = look_up(rig.resolver, "EXAMPLE.com", DnsType::a);
  stays.start();
  leaves.reset();
  rig.loop.turn_until([&] { return stays.done(); });
  CHECK(stays.result()->found());
  CHECK(server.count("example.com", "A") == 1);

  // Nobody is left: the answer fills the cache all the same.
  leaves.emplace(look_up(rig.resolver, "example.com", DnsType::mx));
  leaves->start();
  leaves.reset();
  rig.loop.turn_until([&] { return rig.resolver.statistics().in_flight == 0; });
  CHECK(rig.ask("example.com", DnsType::mx).found());
  CHECK(server.count("example.com", "MX") == 1);
}

TEST_CASE("resolver: look-ups that wait when it goes are dropped with it") {
  DnsServer server(kZones);
  TestLoop loop;
  test::FakeClock clock;
  std::optional<CaresResolver> resolver;
  resolver.emplace(loop, clock);
  REQUIRE(resolver->reconfigure({{server.address()}, kLong, 10}).ok());
  DnsLookup lookup = resolver->query("silent.test", DnsType::a);
  DnsLookup same = resolver->query("silent.test", DnsType::a);
  CHECK(!lookup.await_ready());
  resolver.reset();
  REQUIRE(lookup.await_ready());
  CHECK(lookup.await_resume()->status == DnsStatus::timed_out);
  CHECK(same.await_resume()->status == DnsStatus::timed_out);
}

TEST_CASE("resolver: queries under way end with the servers they were put to") {
  DnsServer first(R"({"a.test": {"A": ["192.0.2.1"]}})", {"--delay", "0.1"});
  DnsServer second(R"({"b.test": {"A": ["192.0.2.2"]}})");
  Rig rig({first.address()}, kLong);
  const Task<DnsAnswerPtr> before = look_up(rig.resolver, "a.test", DnsType::a);
  before.start();
  REQUIRE(rig.resolver.reconfigure({{second.address()}, kLong, 1000}).ok());
  CHECK(rig.ask("b.test", DnsType::a).found());
  rig.loop.turn_until([&] { return before.done(); });
  CHECK(before.result()->found());
}

TEST_CASE("resolver: many at once") {
  DnsServer server(R"({"*.many.test": {"A": ["127.0.0.2"]}})", {"--delay", "0.05"});
  Rig rig({server.address()}, kLong);
  std::vector<Task<DnsAnswerPtr>> tasks;
  for (int i = 0; i < 2000; ++i) tasks.push_back(look_up(rig.resolver, std::to_string(i) + ".many.test", DnsType::a));
  for (const auto& task : tasks) task.start();
  rig.loop.turn_until([&] { return std::all_of(tasks.begin(), tasks.end(), [](const auto& t) { return t.done(); }); });
  for (const auto& task : tasks) CHECK(task.result()->found());
  CHECK(rig.resolver.statistics().queries == 2000);
}

TEST_CASE("resolver: servers are addresses, with or without a port; what is wrong changes nothing") {
  TestLoop loop;
  CaresUpstream upstream(loop);
  REQUIRE(upstream.reconfigure({"127.0.0.1", "127.0.0.2:5353", "::1", "[2001:db8::1]:54", "[::2]"}, kLong).ok());
  const std::vector<std::string> want{"127.0.0.1:53", "127.0.0.2:5353", "[::1]:53", "[2001:db8::1]:54", "[::2]:53"};
  CHECK(upstream.servers() == want);
  for (const char* wrong : {"", "localhost", "127.0.0.1:", "127.0.0.1:0", "127.0.0.1:65536", "[::1]x", "::1:x"}) {
    const auto refused = upstream.reconfigure({wrong}, kLong);
    REQUIRE(!refused);
    CHECK(refused.error().message == "\"" + std::string(wrong) +
                                         "\" is no DNS server: an IP address, or one with a port, \"127.0.0.1:53\"");
  }
  CHECK(upstream.servers() == want);
  REQUIRE(upstream.reconfigure({}, kLong).ok());
  CHECK(!upstream.servers().empty());
}

}  // namespace
}  // namespace policyd
