// The engine and the limits of accounts: what the store is asked, and what its answer leads to.
#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "policyd/notify/event.h"
#include "tests/support/engine_rig.h"

namespace policyd {
namespace {

using test::action_of;
using test::EngineRig;
using test::outgoing_lines;
using test::request_lines;

const Limit kLimit{Meter::messages, 60, Milliseconds(60'000)};

TEST_CASE("engine: a recipient is charged to the account, in lower case, with the declared size") {
  EngineRig rig("[accounts.default]\nmessages = [\"60/1m\"]\nrecipients = []\nbytes = [\"1KB/1h\"]\n");
  rig.decide(outgoing_lines({{"sasl_username", "Joe@Example.COM"}, {"recipient", "Bob@EXAMPLE.net"},
                             {"instance", "1f.2a"}, {"size", "12345"}, {"recipient_count", "0"}}));
  REQUIRE(rig.store.asked.size() == 1);
  const auto& asked = rig.store.asked.front();
  CHECK(asked.kind == Charge::Kind::recipient);
  CHECK(asked.account == "joe@example.com");
  CHECK(asked.instance == "1f.2a");
  CHECK(asked.recipient == "bob@example.net");
  CHECK(asked.bytes == 12345);
  CHECK(asked.limits == Limits{kLimit, {Meter::bytes, 1'000, Milliseconds(3'600'000)}});
  CHECK_FALSE(asked.ended);
  CHECK_FALSE(asked.dry_run);
}

TEST_CASE("engine: a message is settled at DATA and at its end") {
  struct Case {
    std::string state;
    bool ended;
  };
  for (const Case& c : {Case{"DATA", false}, Case{"END-OF-MESSAGE", true}}) {
    CAPTURE(c.state);
    EngineRig rig;
    const std::string lines = outgoing_lines({{"protocol_state", c.state}, {"recipient", ""},
                                              {"recipient_count", "7"}, {"size", "999"}, {"instance", "1f.2a"}});
    CHECK(rig.told(lines) == "DUNNO (none)");
    REQUIRE(rig.store.asked.size() == 1);
    CHECK(rig.store.asked[0].kind == Charge::Kind::settle);
    CHECK(rig.store.asked[0].account == "joe@example.com");
    CHECK(rig.store.asked[0].instance == "1f.2a");
    CHECK(rig.store.asked[0].recipients == 7);
    CHECK(rig.store.asked[0].bytes == 999);
    CHECK(rig.store.asked[0].ended == c.ended);

    rig.store.refuse(kLimit, Milliseconds(61'000));
    CHECK(rig.told(lines) == "DEFER 4.7.1 Sending limit reached, try again in 61 seconds (limit)");
  }
}

TEST_CASE("engine: incoming mail is never charged, whatever the state") {
  EngineRig rig;
  rig.store.refuse(kLimit, std::nullopt);
  for (const char* state : {"RCPT", "DATA", "END-OF-MESSAGE"}) {
    CHECK(rig.told(request_lines({{"protocol_state", state}, {"size", "999"}})) == "DUNNO (none)");
  }
  CHECK(rig.store.asked.empty());
}

TEST_CASE("engine: clients without a login are charged by address") {
  EngineRig rig;
  rig.decide(request_lines({{"client_address", "127.0.0.1"}}));
  rig.decide(request_lines({{"client_address", "2001:db8::1"}, {"policy_context", "outgoing"}}));
  REQUIRE(rig.store.asked.size() == 2);
  CHECK(rig.store.asked[0].account == "127.0.0.1");
  CHECK(rig.store.asked[1].account == "2001:db8::/64");
}

TEST_CASE("engine: an account without limits is not counted") {
  EngineRig rig("[accounts.default]\nmessages = []\nrecipients = []\nbytes = []\n"
                "distinct_recipients = []\ninvalid_recipients = []\n"
                "[accounts.\"example.org\"]\nrecipients = [\"1/1h\"]\n");
  rig.store.refuse(kLimit, std::nullopt);
  CHECK(rig.told(outgoing_lines()) == "DUNNO (none)");
  CHECK(rig.store.asked.empty());
  CHECK(rig.told(outgoing_lines({{"sasl_username", "ann@example.org"}})) ==
        "DEFER 4.7.1 Sending limit reached (limit)");
}

TEST_CASE("engine: what happens over a limit, and what is told") {
  struct Case {
    std::string on_limit;
    std::optional<Milliseconds> retry_after;
    std::string action;
  };
  const std::vector<Case> cases{
      {"defer", Milliseconds(90'000), "DEFER 4.7.1 Too much, try again in 90 seconds"},
      {"defer", Milliseconds(1'001), "DEFER 4.7.1 Too much, try again in 2 seconds"},
      {"defer", Milliseconds(1'000), "DEFER 4.7.1 Too much, try again in 1 second"},
      {"defer", Milliseconds(1), "DEFER 4.7.1 Too much, try again in 1 second"},
      {"defer", std::nullopt, "DEFER 4.7.1 Too much"},
      {"reject", Milliseconds(90'000), "REJECT 5.7.1 Too much"},
      {"hold", Milliseconds(90'000), "HOLD Too much"},
  };
  for (const Case& c : cases) {
    CAPTURE(c.action);
    EngineRig rig("[limits]\ntext = \"Too much\"\n[accounts.default]\non_limit = \"" + c.on_limit + "\"\n");
    rig.store.refuse(kLimit, c.retry_after);
    const Verdict verdict = rig.decide(outgoing_lines());
    CHECK(action_of(verdict) == c.action);
    CHECK(verdict.cause == Cause::limit);
    CHECK(verdict.account == "joe@example.com");
    CHECK(verdict.charge.limit == kLimit);
    CHECK(verdict.charge.retry_after == c.retry_after);
    CHECK(rig.causes(Cause::limit) == 1);
  }
}

TEST_CASE("engine: what happens over a limit is the account's own setting") {
  EngineRig rig("[accounts.\"joe@example.com\"]\non_limit = \"reject\"\n");
  rig.store.refuse(kLimit, std::nullopt);
  CHECK(rig.action(outgoing_lines()) == "REJECT 5.7.1 Sending limit reached");
  CHECK(rig.action(outgoing_lines({{"sasl_username", "ann"}})) == "DEFER 4.7.1 Sending limit reached");
  AccountSettings settings;
  REQUIRE(settings.set("on_limit", "hold").ok());
  rig.mirror.put_settings("ann", settings);
  CHECK(rig.action(outgoing_lines({{"sasl_username", "ann"}})) == "HOLD Sending limit reached");
}

TEST_CASE("engine: a limit goes before a score that would have held the mail") {
  EngineRig rig("[score.outgoing]\nhold = 5\n[checks.ehlo]\noutgoing = 5\n");
  rig.store.refuse(kLimit, std::nullopt);
  CHECK(rig.told(outgoing_lines({{"helo_name", "nodot"}})) == "DEFER 4.7.1 Sending limit reached (limit)");
}

TEST_CASE("engine: mail held for a limit stays held, however many lists ask") {
  EngineRig rig("[accounts.default]\non_limit = \"hold\"\n");
  rig.store.refuse(kLimit, std::nullopt);
  CHECK(rig.told(outgoing_lines()) == "HOLD Sending limit reached (limit)");
  CHECK(rig.told(outgoing_lines()) == "HOLD Sending limit reached (earlier)");
  CHECK(rig.store.asked.size() == 1);
}

TEST_CASE("engine: a charge decided without the shared store says so") {
  EngineRig rig;
  rig.store.answer.local = true;
  CHECK(rig.decide(outgoing_lines()).charge.local);
}

TEST_CASE("engine: a limit that is reached is told, unless nobody wants to know or nothing was decided") {
  EngineRig rig;
  rig.store.refuse(kLimit, Milliseconds(61'000));
  rig.decide(outgoing_lines());
  REQUIRE(rig.events.told.size() == 1);
  CHECK(rig.events.told[0].details ==
        nlohmann::json{{"meter", "messages"},
                       {"limit", "60/1m"},
                       {"action", "DEFER"},
                       {"reply", "4.7.1 Sending limit reached, try again in 61 seconds"}});
  CHECK(rig.events.lines() == "limit joe@example.com: joe@example.com has reached its limit of 60/1m messages\n");
  rig.explain(outgoing_lines());
  rig.events.wanting = false;
  rig.decide(outgoing_lines());
  CHECK(rig.events.told.empty());
}

TEST_CASE("engine: who sends is among the busy accounts, also where he is refused") {
  EngineRig rig;
  rig.decide(outgoing_lines());
  rig.store.refuse(kLimit, std::nullopt);
  for (int i = 0; i < 2; ++i) rig.decide(outgoing_lines({{"sasl_username", "ann@example.com"}}));
  rig.explain(outgoing_lines({{"sasl_username", "dry@example.com"}}));
  rig.decide(request_lines());
  CHECK(rig.engine.busy_accounts().busiest(9, rig.clock.steady()) ==
        std::vector<std::string>{"ann@example.com", "joe@example.com"});
}

}  // namespace
}  // namespace policyd
