// What checks found of late, and for which requests it is used again.
#include <doctest/doctest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "policyd/recent_observations.h"
#include "tests/support/engine_rig.h"

using namespace policyd;
using test::Attributes;
using test::EngineRig;

namespace {

constexpr std::string_view kAllChecks = R"(
[checks.reverse_dns]
incoming = 10
[checks.ehlo]
incoming = { syntax = 10, unqualified = 10, literal = 10, ours = 10, unresolvable = 10, mismatch = 10 }
[checks.sender]
incoming = 10
[checks.sender_domain]
incoming = 10
[checks.spf]
incoming = { fail = 10, none = 2, pass = -2, permerror = 3, neutral = 1, softfail = 4 }
[[checks.dnsbl.zones]]
zone = "bl.example"
incoming = 10
[[checks.rhsbl.zones]]
zone = "names.example"
incoming = 10
[score.incoming]
defer = 0
reject = 0
)";

constexpr std::string_view kZone = R"(
  other.example MX 10 mx.other.example
  other.example TXT v=spf1 mx ?all
  mx.other.example A 192.0.2.9
  9.2.0.192.in-addr.arpa PTR mx.other.example
  9.2.0.192.bl.example A 127.0.0.2
  listed.example A 192.0.2.1
  listed.example.names.example A 127.0.0.2
  own.example TXT v=spf1 exists:%{l}.users.own.example -all
  own.example A 192.0.2.1
  ann.users.own.example A 127.0.0.2
)";

struct Rig : EngineRig {
  Rig() : EngineRig(kAllChecks) { resolver.add(kZone); }

  // "dnsbl.listed ehlo?": what was found, and what could not be done, with their details.
  std::string told(Attributes changes) {
    changes.insert({"instance", std::to_string(++messages)});
    const Verdict verdict = decide(test::request_lines(changes));
    std::string all;
    for (const Finding& finding : verdict.findings) {
      all.append(finding.check->name).append(finding.outcome ? "." : "?");
      if (finding.outcome) all += finding.outcome->name;
      all.append(" ").append(finding.detail).append("; ");
    }
    return all;
  }
  // How many questions a request takes.
  size_t questions(const Attributes& changes) {
    const size_t before = resolver.asked().size();
    told(changes);
    return resolver.asked().size() - before;
  }
  int messages = 0;
};

}  // namespace

TEST_CASE("inspection: what was found is used again for a while") {
  Rig rig;
  const std::string first = rig.told({});
  CHECK(first == "spf.neutral 192.0.2.1 by ?all: stranger.example; ");
  CHECK(rig.questions({}) == 0);
  CHECK(rig.questions({{"recipient", "ann@example.net"}, {"sender", "bounce-17@stranger.example"}}) == 0);
  rig.clock.advance(RecentObservations::kHolds - Milliseconds(1));
  CHECK(rig.questions({}) == 0);
  CHECK(rig.told({}) == first);
  rig.resolver.forget();
  rig.clock.advance(Milliseconds(1));
  CHECK(rig.questions({}) > 4);
  CHECK(rig.questions({}) == 0);
}

TEST_CASE("inspection: a request that differs is judged as if it were the first") {
  const Attributes changes[] = {
      {{"client_address", "192.0.2.9"}},
      {{"client_address", "2001:db8::1"}},
      {{"client_name", "unknown"}},
      {{"client_name", "unknown"}, {"reverse_client_name", "unknown"}},
      {{"client_name", "listed.example"}},
      {{"reverse_client_name", "mx.other.example"}, {"client_name", "unknown"}},
      {{"helo_name", "listed.example"}},
      {{"helo_name", "nodot"}},
      {{"helo_name", "[192.0.2.1]"}},
      {{"helo_name", "[192.0.2.9]"}},
      {{"helo_name", "[192.0.2.9]"}, {"server_address", "192.0.2.9"}},
      {{"sender", "ann@other.example"}},
      {{"sender", "ann@listed.example"}},
      {{"sender", "ann@none.example"}},
      {{"sender", "ann"}},
      {{"sender", ""}},
      {{"sender", "a b@stranger.example"}},
      {{"sender", "ann@own.example"}},
      {{"sender", "joe@own.example"}},
  };
  Rig seasoned;
  for (const Attributes& change : changes) seasoned.told(change);
  for (const Attributes& change : changes) {
    for (const auto& [name, value] : change) CAPTURE(name + "=" + value);
    Rig fresh;
    CHECK(seasoned.told(change) == fresh.told(change));
  }
}

TEST_CASE("inspection: an SPF record that asks for the local part speaks for one sender alone") {
  Rig rig;
  CHECK(rig.told({{"sender", "ann@own.example"}}).find("spf.pass") != std::string::npos);
  CHECK(rig.told({{"sender", "joe@own.example"}}).find("spf.fail") != std::string::npos);
  CHECK(rig.told({{"sender", "ann@own.example"}}).find("spf.pass") != std::string::npos);
}

TEST_CASE("inspection: what could not be done is tried again") {
  Rig rig;
  rig.resolver.add("1.2.0.192.bl.example SERVFAIL");
  CHECK(rig.told({}).find("dnsbl?") != std::string::npos);
  CHECK(rig.told({}).find("dnsbl?") != std::string::npos);
  CHECK(rig.counted("dnsbl").errors == 2);
}

TEST_CASE("inspection: policyctl looks afresh and leaves nothing behind") {
  Rig rig;
  rig.explain(test::request_lines());
  CHECK(rig.resolver.asked().size() > 4);
  rig.resolver.forget();
  CHECK(rig.questions({}) > 4);
  rig.resolver.forget();
  rig.explain(test::request_lines());
  CHECK(rig.resolver.asked().size() > 4);
}

TEST_CASE("inspection: a new configuration begins anew") {
  Rig rig;
  rig.told({});
  rig.resolver.forget();
  rig.engine.reconfigure(test::config_from(kAllChecks));
  CHECK(rig.questions({}) > 4);
}

TEST_CASE("inspection: what a list said is not used again once it is suspended") {
  Rig rig;
  rig.resolver.add("1.2.0.192.bl.example A 127.0.0.2");
  CHECK(rig.told({}).find("dnsbl.listed") != std::string::npos);
  rig.resolver.add("*.bl.example A 127.0.0.2");
  rig.resolver.forget();
  rig.clock.advance(std::chrono::hours(2));
  CHECK(rig.told({}).find("dnsbl.listed") != std::string::npos);
  rig.zones.tick();
  CHECK(rig.told({}).find("dnsbl") == std::string::npos);
}

TEST_CASE("recent_observations: each check has keys of its own, in each direction") {
  const RecentObservations recent(1);
  const auto request = make_request(test::request_lines());
  const auto inputs = recent.inputs_of(*request, 0);
  std::vector<RecentObservations::Key> keys;
  for (size_t check = 0; check < check_table().size(); ++check) {
    keys.push_back(recent.key_of(check, Direction::incoming, inputs));
    keys.push_back(recent.key_of(check, Direction::outgoing, inputs));
  }
  std::sort(keys.begin(), keys.end());
  CHECK(std::adjacent_find(keys.begin(), keys.end()) == keys.end());
}
