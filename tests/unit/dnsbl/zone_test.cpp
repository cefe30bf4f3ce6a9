// Zones: which can be relied on, which are suspended, and how they come back.
#include <doctest/doctest.h>

#include "policyd/checks/check.h"
#include "policyd/dnsbl/zones.h"
#include "tests/support/changing_resolver.h"
#include "tests/support/fake_clock.h"

using namespace policyd;
using namespace std::chrono_literals;

namespace {

constexpr std::string_view kHealthy = "2.0.0.127.bl.example A 127.0.0.2";

Config config_of(std::string_view toml) {
  auto parsed = parse_config(toml, "test.toml", check_specs());
  REQUIRE(std::holds_alternative<Config>(parsed));
  return std::get<Config>(std::move(parsed));
}

struct Rig {
  explicit Rig(std::string_view zone,
               std::string_view toml = "[[checks.dnsbl.zones]]\nzone = \"bl.example\"\nlabel = \"BL\"")
      : resolver(zone) {
    zones.reconfigure(config_of(toml));
    zones.tick();
  }
  // "good", "untested" or "suspended: WHY" of the first zone.
  [[nodiscard]] std::string state() const {
    const ZoneStatus status = zones.status().at(0);
    if (status.suspended) return "suspended: " + status.detail;
    return status.tested ? "good" : "untested";
  }
  // Some seconds go by.
  void pass(int seconds) {
    for (int i = 0; i < seconds; ++i) {
      clock.advance(1s);
      zones.tick();
      zones.tick();
    }
  }
  Zone& zone() { return *zones.of("dnsbl")->at(0).zone; }

  test::FakeClock clock;
  test::ChangingResolver resolver;
  Zones zones{resolver, clock};
};

}  // namespace

TEST_CASE("zone: is tested at the start and about every ten minutes, past the cache") {
  Rig rig(kHealthy);
  CHECK(rig.state() == "good");
  CHECK(rig.zones.status().at(0).test_points);
  CHECK(rig.resolver.take_afresh() == std::vector<std::string>{"2.0.0.127.bl.example", "1.0.0.127.bl.example"});
  rig.pass(599);
  CHECK(rig.resolver.take_afresh().empty());
  rig.pass(151);
  CHECK(rig.resolver.take_afresh().size() == 2);
}

TEST_CASE("zone: what fails its test is suspended at once, and says why") {
  struct Case {
    std::string_view zone, want;
  };
  const Case cases[] = {
      {kHealthy, "good"},
      {"other.example A 127.0.0.2", "good"},  // no test points, as private lists
      {"*.bl.example A 127.0.0.2", "suspended: lists 127.0.0.1, which no list may: it would list everybody"},
      {"*.bl.example A 192.0.2.80",
       "suspended: answers 192.0.2.80, which no list does: the list is gone, or the resolver makes answers up"},
      {"*.bl.example A 127.255.255.254",
       "suspended: answers 127.255.255.254: the list does not serve public resolvers: set [dns] servers to a resolver "
       "of your own"},
      {"*.bl.example SERVFAIL", "suspended: its servers cannot tell (SERVFAIL, REFUSED)"},
      {"*.bl.example TIMEOUT", "suspended: no answer in time"},
      {"*.bl.example MALFORMED", "suspended: an answer that cannot be read"},
      {"2.0.0.127.bl.example A 127.0.0.2\n1.0.0.127.bl.example A 127.0.0.2",
       "suspended: lists 127.0.0.1, which no list may: it would list everybody"},
      {"2.0.0.127.bl.example A 127.0.0.2\n1.0.0.127.bl.example SERVFAIL",
       "suspended: its servers cannot tell (SERVFAIL, REFUSED)"},
      // A list of IPv6 addresses alone.
      {"2.0.0.0.0.0.f.7.f.f.f.f.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.bl.example A 127.0.0.2", "good"},
      {"*.f.7.f.f.f.f.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.bl.example A 127.0.0.2",
       "suspended: lists ::FFFF:7F00:1, which no list may: it would list everybody"},
  };
  for (const Case& row : cases) {
    CAPTURE(row.zone);
    const Rig rig(row.zone);
    CHECK(rig.state() == row.want);
  }
}

TEST_CASE("zone: a list of names is tested with TEST and INVALID") {
  constexpr std::string_view kToml = "[[checks.rhsbl.zones]]\nzone = \"bl.example\"";
  Rig rig("test.bl.example A 127.0.1.2", kToml);
  CHECK(rig.state() == "good");
  CHECK(rig.resolver.take_afresh() == std::vector<std::string>{"test.bl.example", "invalid.bl.example"});
  CHECK(Rig("*.bl.example A 127.0.1.2", kToml).state() ==
        "suspended: lists INVALID, which no list may: it would list everybody");
}

TEST_CASE("zone: comes back by itself, and is tested less and less often until then") {
  Rig rig("*.bl.example SERVFAIL");
  CHECK(rig.state() == "suspended: its servers cannot tell (SERVFAIL, REFUSED)");
  rig.resolver.take_afresh();
  rig.pass(4);
  CHECK(rig.resolver.take_afresh().empty());
  rig.pass(3);
  CHECK(rig.resolver.take_afresh().size() == 2);
  rig.resolver.change("*.bl.example TIMEOUT");
  rig.pass(13);
  CHECK(rig.state() == "suspended: no answer in time");
  rig.pass(3600);
  CHECK(rig.resolver.take_afresh().size() <= 2 * 14);
  rig.resolver.change(kHealthy);
  rig.pass(750);
  CHECK(rig.state() == "good");
}

TEST_CASE("zone: three troubles in a row suspend, with one that went well between them they do not") {
  Rig rig(kHealthy);
  Zone& zone = rig.zone();
  for (int i = 0; i < 10; ++i) {
    zone.went_wrong("no answer in time");
    zone.went_wrong("no answer in time");
    zone.went_well(i % 2 == 0);
  }
  CHECK(rig.state() == "good");
  zone.went_wrong("no answer in time");
  zone.went_wrong("no answer in time");
  zone.went_wrong("an answer that cannot be read");
  CHECK(rig.state() == "suspended: an answer that cannot be read");
  const ZoneStatus status = rig.zones.status().at(0);
  CHECK(status.lookups == 33);
  CHECK(status.listings == 5);
  CHECK(status.errors == 23);
  rig.pass(7);
  CHECK(rig.state() == "good");
}

TEST_CASE("zone: trouble brings the test forward") {
  Rig rig(kHealthy);
  rig.pass(10);
  rig.resolver.take_afresh();
  rig.resolver.change("*.bl.example A 127.255.255.255");
  rig.zone().went_wrong("no answer in time");
  rig.pass(1);
  CHECK(rig.state() == "suspended: answers 127.255.255.255: too many questions for the list's terms of use");
}

TEST_CASE("zone: one that falls back soon after it came back is tested less often") {
  Rig rig(kHealthy);
  const auto fail = [&rig] {
    for (int i = 0; i < 3; ++i) rig.zone().went_wrong("no answer in time");
  };
  fail();
  rig.pass(7);
  CHECK(rig.state() == "good");
  fail();
  rig.pass(9);
  CHECK(rig.state() != "good");
  rig.pass(4);
  CHECK(rig.state() == "good");
}

TEST_CASE("zone: a slow answer to the test suspends") {
  Rig rig("");
  rig.resolver.change(kHealthy);
  rig.resolver.now().set_later(true);
  rig.zone().went_wrong("no answer in time");
  rig.pass(1);
  rig.clock.advance(750ms);
  while (rig.resolver.now().deliver()) {
  }
  CHECK(rig.state() == "suspended: an answer took 750ms");
}

TEST_CASE("zone: a reload keeps what is known of zones that stay, and drops a test under way with its zone") {
  Rig rig("*.bl.example SERVFAIL");
  const std::string_view both =
      "[[checks.dnsbl.zones]]\nzone = \"bl.example\"\n[[checks.dnsbl.zones]]\nzone = \"new.example\"";
  rig.resolver.change("");
  rig.resolver.now().set_later(true);
  rig.zones.reconfigure(config_of(both));
  CHECK(rig.state() == "suspended: its servers cannot tell (SERVFAIL, REFUSED)");
  rig.zones.tick();
  REQUIRE(rig.zones.status().size() == 2);
  CHECK_FALSE(rig.zones.status()[1].tested);
  rig.zones.reconfigure(config_of(""));
  CHECK(rig.zones.status().empty());
  CHECK(rig.zones.of("dnsbl")->empty());
  rig.resolver.now().deliver();
}

TEST_CASE("zone: only zones that weigh something are asked") {
  const Rig rig(kHealthy, "[[checks.dnsbl.zones]]\nzone = \"bl.example\"\nincoming = 0\noutgoing = 0");
  CHECK(rig.zones.status().empty());
}
