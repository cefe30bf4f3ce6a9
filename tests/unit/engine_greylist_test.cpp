// The engine and greylisting: which mail is greylisted, what the store is asked, and what its answer leads to.
#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "tests/support/engine_rig.h"

namespace policyd {
namespace {

using test::action_of;
using test::EngineRig;
using test::outgoing_lines;
using test::request_lines;
using Outcome = GreylistResult::Outcome;

const std::string kOn = "[greylist]\nenabled = true\n";
const std::string kScores =
    "[score.incoming]\ndefer = 0\nhold = 10\nreject = 20\n[checks.ehlo]\nincoming = { unqualified = 5 }\n"
    "[checks.reverse_dns]\nincoming = { missing = 10, unconfirmed = 5 }\n";
const std::string kWaiting = "DEFER_IF_PERMIT 4.7.1 Greylisted, please try again in 240 seconds (greylist)";
const test::Attributes kUnqualified{{"helo_name", "nodot"}};
const test::Attributes kNameless{{"client_name", "unknown"}, {"reverse_client_name", "unknown"}};
const test::Attributes kBoth{{"client_name", "unknown"}, {"reverse_client_name", "unknown"}, {"helo_name", "nodot"}};

void answer(EngineRig& rig, Outcome outcome, Milliseconds wait = Milliseconds{0}) {
  rig.store.greylisted = {outcome, wait};
}

TEST_CASE("engine: a stranger is told to try again, in whole seconds, rounded up") {
  EngineRig rig(kOn);
  answer(rig, Outcome::first, std::chrono::minutes(4));
  CHECK(rig.told(request_lines()) == kWaiting);
  answer(rig, Outcome::early, Milliseconds{179'001});
  CHECK(rig.told(request_lines()) == "DEFER_IF_PERMIT 4.7.1 Greylisted, please try again in 180 seconds (greylist)");
  answer(rig, Outcome::early, Milliseconds{1});
  CHECK(rig.told(request_lines()) == "DEFER_IF_PERMIT 4.7.1 Greylisted, please try again in 1 seconds (greylist)");
  CHECK(rig.causes(Cause::greylist) == 3);
  CHECK(rig.verdicts(Direction::incoming, Action::defer) == 3);
}

TEST_CASE("engine: what the store lets through passes, also when it is away") {
  for (const Outcome outcome : {Outcome::passed, Outcome::known, Outcome::allowed, Outcome::unknown}) {
    EngineRig rig(kOn);
    answer(rig, outcome);
    const Verdict verdict = rig.decide(request_lines());
    CHECK(action_of(verdict) == "DUNNO");
    REQUIRE(verdict.greylisting.has_value());
    CHECK(verdict.greylisting->result.outcome == outcome);
  }
}

TEST_CASE("engine: whoever may be known by a name that the DNS does not tell does not wait") {
  EngineRig rig(kOn + "[checks.reverse_dns]\nincoming = 10\n");
  answer(rig, Outcome::first, std::chrono::minutes(4));
  CHECK(rig.told(request_lines(kNameless)) == kWaiting);
  rig.resolver.add("*.arpa TIMEOUT");
  test::Attributes other = kNameless;
  other["client_address"] = "198.51.100.7";
  CHECK(rig.told(request_lines(other)) == "DUNNO (none)");
  CHECK(rig.told(request_lines({{"client_address", "198.51.100.8"}})) == kWaiting);  // its name is confirmed
}

TEST_CASE("engine: an attempt is asked for by client, sender and recipient, with the configured times") {
  EngineRig rig("[greylist]\nenabled = true\nblock = \"5m\"\npass = \"2h\"\nrecord = \"7d\"\nauto_allow = 3\n");
  rig.decide(request_lines({{"client_address", "192.0.2.17"},
                            {"client_name", "mx3.example.org"},
                            {"instance", "1f.2a"},
                            {"sender", "Ann+x@Example.org"},
                            {"recipient", "Bob@EXAMPLE.com"}}));
  REQUIRE(rig.store.attempted.size() == 1);
  const auto& attempted = rig.store.attempted.front();
  CHECK(attempted.client == "example.org");
  CHECK(attempted.sender == "ann@example.org");
  CHECK(attempted.recipient == "bob@example.com");
  CHECK(attempted.instance == "1f.2a");
  CHECK(attempted.block == std::chrono::minutes(5));
  CHECK(attempted.pass == std::chrono::hours(2));
  CHECK(attempted.record == std::chrono::hours(7 * 24));
  CHECK(attempted.auto_allow == 3);
  CHECK_FALSE(attempted.dry_run);
}

TEST_CASE("engine: only incoming mail at RCPT is greylisted, and only where that is on") {
  const auto asked = [](const std::string& toml, const std::string& lines) {
    EngineRig rig(toml);
    answer(rig, Outcome::first, std::chrono::minutes(4));
    rig.decide(lines);
    return !rig.store.attempted.empty();
  };
  CHECK(asked(kOn, request_lines()));
  CHECK_FALSE(asked("", request_lines()));
  CHECK_FALSE(asked(kOn, outgoing_lines()));
  CHECK_FALSE(asked(kOn, request_lines({{"client_address", "127.0.0.1"}})));
  for (const char* state : {"CONNECT", "EHLO", "MAIL", "DATA", "END-OF-MESSAGE", "VRFY"}) {
    CHECK_FALSE(asked(kOn, request_lines({{"protocol_state", state}})));
  }
  CHECK_FALSE(asked(kOn, request_lines({{"sender", ""}})));
  CHECK(asked(kOn + "null_sender = true\n", request_lines({{"sender", ""}})));
  CHECK_FALSE(asked(kOn, request_lines({{"client_address", "unknown"}, {"client_name", "unknown"}})));
}

TEST_CASE("engine: what is refused anyway is not greylisted; what would be held waits first") {
  EngineRig rig(kOn + kScores);
  answer(rig, Outcome::first, std::chrono::minutes(4));
  rig.block(BlockType::email, "eve@stranger.example");
  CHECK(rig.told(request_lines({{"sender", "eve@stranger.example"}})).ends_with("(block)"));
  EngineRig strict(kOn + "[checks.ehlo]\nincoming = 30\n");
  CHECK(strict.told(request_lines(kUnqualified)).ends_with("(score)"));
  CHECK(strict.store.attempted.empty());
  CHECK(rig.store.attempted.empty());

  CHECK(rig.told(request_lines(kBoth)) == kWaiting);
  answer(rig, Outcome::passed);
  CHECK(rig.told(request_lines(kBoth)).starts_with("HOLD "));
}

TEST_CASE("engine: with min_score only mail of that score has to wait") {
  EngineRig rig(kOn + "min_score = 10\n" + kScores);
  answer(rig, Outcome::first, std::chrono::minutes(4));
  CHECK(rig.told(request_lines()) == "DUNNO (none)");
  CHECK(rig.told(request_lines(kUnqualified)) == "DUNNO (none)");
  CHECK(rig.store.attempted.empty());
  CHECK(rig.told(request_lines(kNameless)) == kWaiting);
}

TEST_CASE("engine: with a min_score of 0 all mail has to wait, whatever speaks for it") {
  EngineRig rig(kOn + "[checks.ehlo]\nincoming = -1\n");
  answer(rig, Outcome::first, std::chrono::minutes(4));
  const Verdict verdict = rig.decide(request_lines(kUnqualified));
  CHECK(verdict.score == -1);
  CHECK(verdict.cause == Cause::greylist);
}

TEST_CASE("engine: who has passed is not asked about again for the same RCPT, who waits is") {
  EngineRig rig(kOn);
  answer(rig, Outcome::first, std::chrono::minutes(4));
  CHECK(rig.told(request_lines()) == kWaiting);
  CHECK(rig.told(request_lines()) == kWaiting);
  CHECK(rig.store.attempted.size() == 2);
  answer(rig, Outcome::passed);
  CHECK(rig.told(request_lines()) == "DUNNO (none)");
  CHECK(rig.told(request_lines()) == "DUNNO (earlier)");
  CHECK(rig.store.attempted.size() == 3);
}

TEST_CASE("engine: who is allowed to skip greylisting, or all checks, never waits") {
  for (const std::string skip : {"greylist", "all"}) {
    CAPTURE(skip);
    EngineRig rig(kOn + "[[allow]]\nclients = [\"192.0.2.0/24\"]\nrecipients = [\"postmaster\"]\nskip = [\"" + skip +
                  "\"]\n");
    answer(rig, Outcome::first, std::chrono::minutes(4));
    CHECK(rig.told(request_lines()) == "DUNNO (none)");
    CHECK(rig.told(request_lines({{"client_address", "198.51.100.1"}, {"recipient", "postmaster@example.com"}})) ==
          "DUNNO (none)");
    CHECK(rig.store.attempted.empty());
    CHECK(rig.told(request_lines({{"client_address", "198.51.100.1"}})) == kWaiting);
  }
  EngineRig rig(kOn + "[[allow]]\nclients = [\"192.0.2.0/24\"]\nskip = [\"ehlo\"]\n");
  answer(rig, Outcome::first, std::chrono::minutes(4));
  CHECK(rig.told(request_lines()) == kWaiting);
}

TEST_CASE("engine: a sender domain that is allowed to skip greylisting needs proof") {
  EngineRig rig(kOn + "[[allow]]\nsender_domains = [\"stranger.example\"]\nskip = [\"greylist\"]\n");
  answer(rig, Outcome::first, std::chrono::minutes(4));
  CHECK(rig.told(request_lines()) == "DUNNO (none)");  // the client's confirmed name lies in it
  CHECK(rig.told(request_lines({{"client_name", "mail.elsewhere.example"}})) == kWaiting);
}

TEST_CASE("engine: a dry run of greylisting is asked and shown, never acted on") {
  EngineRig rig(kOn + "dry_run = true\n");
  answer(rig, Outcome::first, std::chrono::minutes(4));
  const Verdict verdict = rig.decide(request_lines());
  CHECK(action_of(verdict) == "DUNNO");
  CHECK(verdict.cause == Cause::none);
  REQUIRE(verdict.greylisting.has_value());
  CHECK_FALSE(verdict.greylisting->counted);
  CHECK_FALSE(rig.store.attempted.at(0).dry_run);
}

TEST_CASE("engine: an explanation asks about greylisting and changes nothing") {
  EngineRig rig(kOn);
  answer(rig, Outcome::first, std::chrono::minutes(4));
  CHECK(action_of(rig.explain(request_lines())) == "DEFER_IF_PERMIT 4.7.1 Greylisted, please try again in 240 seconds");
  CHECK(rig.store.attempted.at(0).dry_run);
}

TEST_CASE("engine: the text of greylisting is the operator's") {
  EngineRig rig(kOn + "text = \"Come back in {seconds}s ({seconds})\"\n");
  answer(rig, Outcome::first, Milliseconds{1'000});
  CHECK(rig.action(request_lines()) == "DEFER_IF_PERMIT 4.7.1 Come back in 1s (1)");
}

TEST_CASE("greylisting: a domain that a check has shown the client to send for is what it is known by") {
  const auto request = make_request(request_lines(kNameless));
  const auto config = test::config_from(kOn);
  const Subject subject(*request, *config);
  Verdict verdict;
  CHECK(greylist_keys(*request, subject, config->greylist, verdict)->client == "192.0.2.0/24");
  verdict.identity = "example.org";
  CHECK(greylist_keys(*request, subject, config->greylist, verdict)->client == "example.org");
}

}  // namespace
}  // namespace policyd
