// The engine and its checks: what is asked for whom, how findings add up, and that nothing waits for a dead DNS.
#include <doctest/doctest.h>

#include "policyd/engine.h"
#include "policyd/reply.h"
#include "policyd/store/memory.h"
#include "tests/support/fake_clock.h"
#include "tests/support/fake_resolver.h"
#include "tests/support/make_request.h"
#include "tests/support/run_task.h"

using namespace policyd;

namespace {

constexpr std::string_view kConfig = R"(
[checks.reverse_dns]
incoming = 10
[checks.ehlo]
incoming = { unresolvable = 10 }
[checks.sender_domain]
incoming = 10
[checks.spf]
incoming = 0
[[checks.dnsbl.zones]]
zone = "bl.example"
label = "Big List"
incoming = 10
)";

constexpr std::string_view kZone = R"(
  good.example MX 10 mx.good.example
  mx.good.example A 203.0.113.9
  mx.good.example AAAA 2001:db8::9
  9.113.0.203.in-addr.arpa PTR mx.good.example
  8.113.0.203.bl.example A 127.0.0.2
)";

class Rig {
 public:
  explicit Rig(std::string_view more = "", std::string_view zone = kZone) {
    auto parsed = parse_config(std::string(kConfig) + std::string(more), "test.toml", check_specs());
    REQUIRE(std::holds_alternative<Config>(parsed));
    engine = std::make_unique<Engine>(std::make_shared<const Config>(std::get<Config>(std::move(parsed))),
                                      EngineParts{mirror, store, resolver, zones, clock, loop, warden});
    REQUIRE(store.start().ok());
    zones.tick();  // lists pass their test before there is anything of `zone`
    resolver.forget();
    resolver.add(zone);
  }
  ~Rig() { loop.run(store.stop()); }

  static std::unique_ptr<Request> request(std::string_view client, std::string_view ehlo, std::string_view sender,
                                          std::string_view recipient = "bob@example.net",
                                          std::string_view name = "unknown") {
    std::string lines = "request=smtpd_access_policy\nprotocol_state=RCPT\nserver_address=192.0.2.25\nclient_address=";
    lines.append(client).append("\nhelo_name=").append(ehlo).append("\nsender=").append(sender);
    lines.append("\nrecipient=").append(recipient).append("\nclient_name=").append(name);
    return make_request(lines);
  }
  template <class... Arguments>
  Verdict decide(Arguments... arguments) {
    const auto asked = request(arguments...);
    return loop.run(engine->decide(*asked));
  }
  // "DEFER 20: reverse_dns.missing dnsbl.listed": the action, the score and what was found or not done.
  template <class... Arguments>
  std::string told(Arguments... arguments) {
    return told(decide(arguments...));
  }
  static std::string told(const Verdict& verdict) {
    std::string all = std::string(action_name(verdict.action)) + " " + std::to_string(verdict.score) + ":";
    for (const Finding& finding : verdict.findings) {
      all.append(" ").append(finding.check->name).append(finding.outcome ? "." : "?");
      if (finding.outcome) all += finding.outcome->name;
    }
    return all;
  }

  test::TestLoop loop;
  test::FakeClock clock;
  Mirror mirror{clock};
  MemoryStore store{loop, clock, mirror, ""};
  test::FakeResolver resolver;
  Zones zones{resolver, clock};
  Warden warden{loop, store, mirror, nullptr, "mx1"};
  std::unique_ptr<Engine> engine;
};

}  // namespace

TEST_CASE("engine: three of four failures reject, two do not") {
  Rig rig;
  CHECK(rig.told("203.0.113.9", "mx.good.example", "joe@good.example") == "DUNNO 0:");
  CHECK(rig.told("203.0.113.7", "mx.good.example", "joe@good.example") == "DUNNO 10: reverse_dns.missing");
  CHECK(rig.told("203.0.113.8", "mx.good.example", "joe@good.example") == "DEFER 20: reverse_dns.missing dnsbl.listed");
  CHECK(rig.told("203.0.113.8", "mx.good.example", "joe@none.example") ==
        "REJECT 30: reverse_dns.missing sender_domain.no_domain dnsbl.listed");
  const Verdict verdict = rig.decide("203.0.113.8", "none.example", "joe@none.example");
  CHECK(verdict.score == 40);
  CHECK(verdict.text ==
        "5.7.1 Message refused: client has no reverse DNS name; EHLO name does not exist in the DNS; sender domain "
        "does not "
        "exist; client is listed by Big List");
}

TEST_CASE("engine: whatever the DNS does not tell, the mail passes, and it is counted") {
  for (const std::string_view zone : {"*.example SERVFAIL\n*.arpa SERVFAIL", "*.example TIMEOUT\n*.arpa TIMEOUT",
                                      "*.example MALFORMED\n*.arpa MALFORMED"}) {
    CAPTURE(zone);
    Rig rig("", zone);
    CHECK(rig.told("203.0.113.8", "mx.good.example", "joe@good.example") ==
          "DUNNO 0: reverse_dns? ehlo? sender_domain? dnsbl?");
    uint64_t errors = 0;
    for (const auto& check : rig.engine->statistics().checks) errors += check.errors;
    CHECK(errors == 4);
  }
  Rig rig("",
          "*.bl.example A 127.255.255.254\n*.arpa SERVFAIL\n*.good.example A 203.0.113.8\ngood.example A 203.0.113.8");
  CHECK(rig.told("203.0.113.8", "mx.good.example", "joe@good.example") == "DUNNO 0: reverse_dns? dnsbl?");
}

TEST_CASE("engine: what is not known by the deadline is neutral") {
  Rig rig("[server]\ndeadline = \"400ms\"\n");
  rig.resolver.set_later(true);
  CHECK(rig.told("203.0.113.8", "none.example", "joe@none.example") ==
        "DUNNO 0: reverse_dns? ehlo? sender_domain? dnsbl?");
}

TEST_CASE("engine: at the deadline what is found counts, and what is not done is an error") {
  Rig rig("[server]\ndeadline = \"100ms\"\n[store]\ntimeout = \"10ms\"\n", R"(
    8.113.0.203.in-addr.arpa PTR mx.stranger.example
    8.113.0.203.bl.example A 127.0.0.2
  )");
  rig.resolver.set_later(true);
  // The first answers come, those to the questions that follow from them do not: where the name leads to, whether the
  // domain without an MX has an address.
  const auto request = Rig::request("203.0.113.8", "nodot", "joe@none.example");
  const auto deciding = rig.engine->decide(*request);
  deciding.start();
  CHECK(rig.resolver.deliver());
  rig.loop.turn_until([&deciding] { return deciding.done(); });
  const Verdict verdict = deciding.result();
  CHECK(Rig::told(verdict) == "DEFER 20: reverse_dns? ehlo.unqualified sender_domain? dnsbl.listed");
  for (const Finding& finding : verdict.findings) {
    CAPTURE(finding.check->name);
    CHECK((finding.detail == "no answer by the deadline") == (finding.outcome == nullptr));
    CHECK((finding.weight == 0) == (finding.outcome == nullptr));
  }
  std::string counted;
  for (size_t i = 0; i < check_table().size(); ++i) {
    const EngineStatistics::PerCheck& of = rig.engine->statistics().checks[i];
    counted.append(check_table()[i].spec.name).append(" " + std::to_string(of.hits));
    counted += "/" + std::to_string(of.errors) + " ";
  }
  CHECK(counted == "reverse_dns 0/1 ehlo 1/0 sender 0/0 sender_domain 0/1 spf 0/0 "
        "dnsbl 1/0 rhsbl 0/0 batv 0/0 recipient_domain 0/0 ");
  // What comes too late is there for the next request.
  CHECK(rig.resolver.deliver());
  CHECK(rig.told("203.0.113.8", "nodot", "joe@none.example") ==
        "REJECT 40: reverse_dns.unconfirmed ehlo.unqualified sender_domain.no_domain dnsbl.listed");
}

TEST_CASE("engine: what is allowed is neither asked nor counted") {
  Rig rig(R"(
[[allow]]
recipients = ["postmaster"]
[[allow]]
clients = ["203.0.113.8"]
skip = ["dnsbl", "sender_domain"]
[[allow]]
sender_domains = ["none.example"]
skip = ["sender_domain"]
)");
  CHECK(rig.told("203.0.113.7", "none.example", "joe@gone.example", "Postmaster@example.net") == "DUNNO 0:");
  CHECK(rig.resolver.asked().empty());
  CHECK(rig.told("203.0.113.8", "none.example", "joe@gone.example") ==
        "DEFER 20: reverse_dns.missing ehlo.unresolvable");
  // An envelope sender alone proves nothing.
  CHECK(rig.told("203.0.113.9", "mx.good.example", "joe@none.example") == "DUNNO 10: sender_domain.no_domain");
  CHECK(rig.told("203.0.113.9", "mx.good.example", "joe@none.example", "ann@example.net", "mx.none.example") ==
        "DUNNO 0:");
}

TEST_CASE("engine: an SPF pass proves an allowed sender domain, and is found out first") {
  constexpr std::string_view kAllow = "[[allow]]\nsender_domains = [\"proven.example\"]\nskip = [\"all\"]\n";
  constexpr std::string_view kRecord = "proven.example TXT v=spf1 ip4:203.0.113.7 -all";
  Rig rig(kAllow, kRecord);
  CHECK(rig.told("203.0.113.7", "none.example", "joe@proven.example") == "DUNNO 0:");
  CHECK(rig.resolver.asked() == std::vector<std::string>{"TXT proven.example"});
  CHECK(rig.told("203.0.113.8", "none.example", "joe@proven.example") ==
        "REJECT 30: reverse_dns.missing ehlo.unresolvable sender_domain.no_mail");
  // Where SPF cannot be found out, nothing is proven, and nothing held against the mail.
  Rig away(kAllow, "proven.example TIMEOUT\nnone.example TIMEOUT\n*.arpa TIMEOUT\n*.bl.example TIMEOUT");
  CHECK(away.told("203.0.113.7", "none.example", "joe@proven.example") ==
        "DUNNO 0: reverse_dns? ehlo? sender_domain? dnsbl?");
}

TEST_CASE("engine: a dry run of lists is shown and not counted, and a block rejects at once") {
  Rig dry("[checks.dnsbl]\ndry_run = true\n");
  CHECK(dry.told("203.0.113.8", "mx.good.example", "joe@good.example") == "DUNNO 10: reverse_dns.missing dnsbl.listed");
  Rig hard("[checks.dnsbl]\nblock = true\n");
  CHECK(hard.decide("203.0.113.8", "mx.good.example", "joe@good.example").text.starts_with("5.7.1 Message refused: "));
}
