// dnsbl and rhsbl: what is asked, what counts, and what a list's trouble does to the mail.
#include <doctest/doctest.h>

#include "policyd/score.h"
#include "tests/support/make_request.h"

using namespace policyd;
using namespace std::chrono_literals;

namespace {

constexpr std::string_view kLists = R"(
[[checks.dnsbl.zones]]
zone = "bl.example"
answers = "127.0.0.[2..3]"
label = "Big List"
incoming = 20
[[checks.dnsbl.zones]]
zone = "bl.example"
answers = "127.0.0.[10..11]"
incoming = 5
outgoing = 1
[[checks.dnsbl.zones]]
zone = "good.example"
label = "Good List"
incoming = -7
[[checks.rhsbl.zones]]
zone = "names.example"
label = "Names"
incoming = 8
[[checks.rhsbl.zones]]
zone = "names.example"
answers = "127.0.1.4"
names = ["ehlo"]
incoming = 3
)";

constexpr std::string_view kZone = R"(
  9.113.0.203.bl.example A 127.0.0.2
  9.113.0.203.bl.example A 127.0.0.3
  9.113.0.203.bl.example A 127.0.0.10
  9.113.0.203.good.example A 127.0.5.1
  8.113.0.203.bl.example A 127.0.0.99
  7.113.0.203.bl.example SERVFAIL
  7.113.0.203.good.example A 127.0.5.1
  6.113.0.203.bl.example A 127.255.255.254
  9.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.bl.example A 127.0.0.2
  spam.example.names.example A 127.0.1.2
  phish.example.names.example A 127.0.1.4
)";

Config config_of(std::string_view toml) {
  auto parsed = parse_config(toml, "test.toml", check_specs());
  REQUIRE(std::holds_alternative<Config>(parsed));
  return std::get<Config>(std::move(parsed));
}

struct Rig {
  // Lists that have passed their test, before there is anything of `zone`.
  explicit Rig(std::string_view zone = kZone) {
    zones.reconfigure(config);
    zones.tick();
    resolver.forget();
    resolver.add(zone);
  }

  std::string dnsbl(std::string_view client) {
    return observe("dnsbl", "client_address=" + std::string(client), config, resolver, zones);
  }
  std::string rhsbl(std::string_view sender, std::string_view ehlo, std::string_view name = "unknown") {
    std::string attributes = "client_address=192.0.2.1\nsender=";
    attributes.append(sender).append("\nhelo_name=").append(ehlo).append("\nclient_name=").append(name);
    return observe("rhsbl", attributes, config, resolver, zones);
  }
  // The findings of a check, as the log shows them: "listed:20 (client is listed by Big List)".
  std::string weighed(std::string_view check, std::string_view attributes, Direction direction) {
    const CheckRow& row = check_named(check);
    const auto request = make_request(attributes);
    const CheckSettings settings = settings_of(row.spec, config);
    const CheckContext context{*request, config, settings, direction, resolver, zones, clock};
    const Task<Observation> task = row.run(context);
    std::vector<Finding> findings;
    weigh(row.spec, settings, direction, resolver.run(task), findings);
    std::string all;
    for (const Finding& finding : findings) {
      all += all.empty() ? "" : ", ";
      all += finding.outcome ? std::string(finding.outcome->name) + ":" + std::to_string(finding.weight) + " (" +
                                   finding.reason + ")"
                             : "not done (" + finding.detail + ")";
    }
    return all;
  }

  Config config = config_of(kLists);
  test::FakeClock clock;
  test::FakeResolver resolver;
  Zones zones{resolver, clock};
};

}  // namespace

TEST_CASE("dnsbl: listed, not listed, and what is no listing") {
  struct Case {
    std::string_view client, want;
  };
  const Case cases[] = {
      {"203.0.113.1", ""},
      {"203.0.113.9",
       "listed (bl.example says 127.0.0.2), listed (bl.example says 127.0.0.10), listed (good.example says 127.0.5.1)"},
      {"203.0.113.8", ""},  // no filter matches
      {"203.0.113.7",
       "listed (good.example says 127.0.5.1), error: Big List: its servers cannot tell (SERVFAIL, REFUSED)"},
      {"203.0.113.6",
       "error: Big List: answers 127.255.255.254: the list does not serve public resolvers: set [dns] servers to a "
       "resolver of "
       "your own"},
      {"2001:db8::9", "listed (bl.example says 127.0.0.2)"},
      {"2001:db8::8", ""},
      {"unknown", "error: the client's address is not known"},
      {"", "error: the client's address is not known"},
  };
  for (const Case& row : cases) {
    CAPTURE(row.client);
    for (const bool later : {false, true}) {
      Rig rig;
      rig.resolver.set_later(later);
      CHECK(rig.dnsbl(row.client) == row.want);
    }
  }
}

TEST_CASE("dnsbl: all zones are asked at once, each once") {
  Rig rig;
  rig.resolver.set_later(true);
  const auto request = make_request("client_address=203.0.113.9");
  const CheckRow& row = check_named("dnsbl");
  const CheckSettings settings = settings_of(row.spec, rig.config);
  const CheckContext context{*request, rig.config, settings, Direction::incoming, rig.resolver, rig.zones, rig.clock};
  const Task<Observation> task = row.run(context);
  int rounds = 0;
  rig.resolver.run(task, &rounds);
  CHECK(rounds == 1);
  CHECK(rig.resolver.asked() == std::vector<std::string>{"A 9.113.0.203.bl.example", "A 9.113.0.203.good.example"});
}

TEST_CASE("dnsbl: each entry weighs what it says, and replies say the label and never the zone") {
  Rig rig;
  CHECK(rig.weighed("dnsbl", "client_address=203.0.113.9", Direction::incoming) ==
        "listed:20 (client is listed by Big List), listed:5 (client is on a DNS list), listed:-7 (client is listed by "
        "Good List)");
  CHECK(rig.weighed("dnsbl", "client_address=203.0.113.9", Direction::outgoing) ==
        "listed:1 (client is on a DNS list)");
  CHECK(rig.weighed("rhsbl", "sender=joe@spam.example\nhelo_name=phish.example", Direction::incoming) ==
        "listed:8 (sender domain is listed by Names), listed:3 (EHLO name is on a DNS list)");
  CHECK(rig.weighed("rhsbl", "sender=joe@spam.example", Direction::outgoing) == "");
}

TEST_CASE("dnsbl: a zone that does not weigh in a direction is not asked there") {
  Rig rig;
  rig.weighed("dnsbl", "client_address=203.0.113.9", Direction::outgoing);
  CHECK(rig.resolver.asked() == std::vector<std::string>{"A 9.113.0.203.bl.example"});
}

TEST_CASE("rhsbl: sender domain, EHLO name and confirmed client name, each entry once") {
  struct Case {
    std::string_view sender, ehlo, name, want;
  };
  const Case cases[] = {
      {"joe@spam.example", "mx.good.example", "unknown", "listed (names.example says 127.0.1.2 of spam.example)"},
      {"joe@SPAM.example.", "spam.example", "Spam.Example", "listed (names.example says 127.0.1.2 of spam.example)"},
      {"joe@other.example", "mx.good.example", "spam.example", "listed (names.example says 127.0.1.2 of spam.example)"},
      {"joe@phish.example", "mx.good.example", "unknown", "listed (names.example says 127.0.1.4 of phish.example)"},
      {"joe@phish.example", "phish.example", "unknown",
       "listed (names.example says 127.0.1.4 of phish.example), listed (names.example says 127.0.1.4 of "
       "phish.example)"},
      {"", "spam.example", "unknown", "listed (names.example says 127.0.1.2 of spam.example)"},
      {"", "mx.good.example", "unknown", ""},
      {"joe@[192.0.2.1]", "[192.0.2.1]", "unknown", ""},
      {"joe", "localhost", "unknown", ""},
  };
  for (const Case& row : cases) {
    CAPTURE(row.sender);
    CAPTURE(row.ehlo);
    Rig rig;
    CHECK(rig.rhsbl(row.sender, row.ehlo, row.name) == row.want);
  }
}

TEST_CASE("rhsbl: neither addresses nor what cannot be a name is asked about, whatever strangers say") {
  Rig rig;
  const std::string label(63, 'x');
  const std::string overlong = label + "." + label + "." + label + "." + std::string(55, 'x') + ".com";
  for (const std::string& name : {std::string("192.0.2.1"), std::string("[192.0.2.1]"), std::string("a..b"), overlong,
                                  std::string("a b.example"), std::string("\xff.example"), std::string("unknown")}) {
    CHECK(rig.rhsbl("joe@" + name, name, name) == "");
  }
  CHECK(rig.resolver.asked().empty());
}

TEST_CASE("rhsbl: a name that cannot be asked for is on no list, and is not held against it") {
  Rig rig;
  for (int i = 0; i < 20; ++i) {
    CHECK(rig.rhsbl("joe@\xcc\x81" + std::to_string(i) + ".example", "\xcc\x81.example") == "");
  }
  for (const ZoneStatus& status : rig.zones.status()) {
    CHECK_FALSE(status.suspended);
    CHECK(status.lookups == 0);
  }
}

TEST_CASE("rhsbl: an answer about a stranger's name that cannot be read is not held against the list") {
  Rig rig("*.names.example MALFORMED");
  for (int i = 0; i < 20; ++i) {
    CHECK(rig.rhsbl("joe@n" + std::to_string(i) + ".example", "") == "error: Names: an answer that cannot be read");
  }
  for (const ZoneStatus& status : rig.zones.status()) CHECK_FALSE(status.suspended);
}

TEST_CASE("dnsbl: a list that fails costs three requests, then it is not asked") {
  for (const std::string_view trouble :
       {"*.bl.example TIMEOUT", "*.bl.example SERVFAIL", "*.bl.example A 127.255.255.254", "*.bl.example A 192.0.2.80",
        "*.bl.example MALFORMED"}) {
    CAPTURE(trouble);
    Rig rig(trouble);
    for (int i = 1; i <= 3; ++i) {
      CHECK(rig.dnsbl("203.0.113." + std::to_string(i)).starts_with("error: Big List: "));
    }
    const size_t asked = rig.resolver.asked().size();
    CHECK(rig.dnsbl("203.0.113.4") == "");
    CHECK(rig.resolver.asked().size() == asked + 1);  // good.example
  }
}

TEST_CASE("dnsbl: slow answers count, but not those that came while another list was waited for") {
  Rig rig;  // answers come in the order of their names
  rig.config = config_of(
      "[[checks.dnsbl.zones]]\nzone = \"second.example\"\n[[checks.dnsbl.zones]]\nzone = \"first.example\"\n");
  rig.zones.reconfigure(rig.config);
  rig.resolver.set_later(true);
  const CheckRow& row = check_named("dnsbl");
  const CheckSettings settings = settings_of(row.spec, rig.config);
  for (int i = 1; i <= 3; ++i) {
    const auto request = make_request("client_address=203.0.113." + std::to_string(i + 20));
    const CheckContext context{*request, rig.config, settings, Direction::incoming, rig.resolver, rig.zones, rig.clock};
    const Task<Observation> task = row.run(context);
    task.start();
    rig.clock.advance(800ms);
    rig.resolver.deliver();
    REQUIRE(task.done());
    CHECK(task.result().error.empty());
  }
  const auto status = rig.zones.status();
  CHECK(status.at(0).detail == "an answer took 800ms");
  CHECK(status.at(0).suspended);
  CHECK_FALSE(status.at(1).suspended);
}

TEST_CASE("dnsbl: a request that ends before the answer has come counts if it waited long") {
  Rig rig;
  rig.resolver.set_later(true);
  const CheckRow& row = check_named("dnsbl");
  const CheckSettings settings = settings_of(row.spec, rig.config);
  const auto drop_after = [&](Milliseconds wait) {
    const auto request = make_request("client_address=203.0.113.1");
    const CheckContext context{*request, rig.config, settings, Direction::incoming, rig.resolver, rig.zones, rig.clock};
    const Task<Observation> task = row.run(context);
    task.start();
    rig.clock.advance(wait);
  };
  for (int i = 0; i < 10; ++i) drop_after(100ms);
  CHECK_FALSE(rig.zones.status().at(0).suspended);
  for (int i = 0; i < 3; ++i) drop_after(1s);
  CHECK(rig.zones.status().at(0).detail == "no answer by the deadline of the request");
  CHECK(rig.zones.status().at(1).suspended);
}

TEST_CASE("dnsbl: without lists nothing is asked") {
  CHECK(observe("dnsbl", "client_address=203.0.113.9", config_of("")) == "");
  CHECK(observe("rhsbl", "client_address=203.0.113.9\nsender=joe@spam.example", config_of("")) == "");
}

TEST_CASE("dnsbl: what a list says before it has passed its test is held against nobody") {
  Rig rig;
  Config config = config_of("[[checks.dnsbl.zones]]\nzone = \"new.example\"\nlabel = \"New\"\nincoming = 20\n");
  rig.resolver.add("*.new.example A 127.0.0.2");
  rig.zones.reconfigure(config);
  const auto judge = [&] { return observe("dnsbl", "client_address=203.0.113.9", config, rig.resolver, rig.zones); };
  CHECK(judge() == "error: New: it has not passed its test");
  // The answer is on its way while the test ends.
  const auto request = make_request("client_address=203.0.113.9");
  const CheckRow& row = check_named("dnsbl");
  const CheckSettings settings = settings_of(row.spec, config);
  const CheckContext context{*request, config, settings, Direction::incoming, rig.resolver, rig.zones, rig.clock};
  rig.resolver.forget();
  rig.resolver.set_later(true);
  const Task<Observation> under_way = row.run(context);
  under_way.start();
  rig.resolver.set_later(false);
  rig.zones.tick();
  CHECK(rig.zones.status()[0].suspended);
  rig.resolver.deliver();
  REQUIRE(under_way.done());
  const Observation late = under_way.result();
  CHECK(late.outcomes.empty());
  CHECK(late.error == "New: it has not passed its test");
  CHECK(judge() == "");
}

TEST_CASE("dnsbl: that too many questions are under way is no fault of a list") {
  Rig rig("*.bl.example OVERLOADED\n*.good.example OVERLOADED");
  for (int i = 0; i < 20; ++i) {
    CHECK(rig.dnsbl("203.0.113." + std::to_string(i)) ==
          "error: Big List: not asked, too many DNS questions are under way; "
          "Good List: not asked, too many DNS questions are under way");
  }
  rig.clock.advance(1h);
  rig.zones.tick();
  for (const ZoneStatus& status : rig.zones.status()) {
    CHECK_FALSE(status.suspended);
    CHECK(status.errors == 0);
  }
}
