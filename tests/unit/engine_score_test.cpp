// The engine and its checks: which are asked, what their findings lead to, and what is counted.
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

const std::string kThresholds = R"(
[score.incoming]
defer = 10
hold = 15
reject = 20
[score.outgoing]
defer = 5
hold = 0
reject = 12
[checks.ehlo]
incoming = { unqualified = 10 }
outgoing = { unqualified = 5 }
[checks.sender]
incoming = 5
outgoing = 7
[checks.reverse_dns]
incoming = { missing = 5 }
)";

// Requests in which the checks named have something to find.
test::Attributes with(bool ehlo, bool sender, bool reverse_dns) {
  test::Attributes changes;
  if (ehlo) changes["helo_name"] = "nodot";
  if (sender) changes["sender"] = "ann";
  if (reverse_dns) changes["reverse_client_name"] = changes["client_name"] = "unknown";
  return changes;
}

TEST_CASE("engine: the thresholds of the direction decide, and the reasons are told") {
  struct Case {
    bool outgoing, ehlo, sender, reverse_dns;
    std::string told;
  };
  const std::string ehlo = "EHLO name is not fully qualified", sender = "sender address is not fully qualified",
                    reverse_dns = "client has no reverse DNS name";
  const std::vector<Case> cases{
      {false, false, false, false, "DUNNO (none)"},
      {false, false, true, false, "DUNNO (none)"},
      {false, true, false, false, "DEFER 4.7.1 Message refused: " + ehlo + " (score)"},
      {false, false, true, true, "DEFER 4.7.1 Message refused: " + reverse_dns + "; " + sender + " (score)"},
      {false, true, true, false, "HOLD Message refused: " + ehlo + "; " + sender + " (score)"},
      {false, true, true, true,
       "REJECT 5.7.1 Message refused: " + reverse_dns + "; " + ehlo + "; " + sender + " (score)"},
      {true, false, false, true, "DUNNO (none)"},
      {true, true, false, true, "DEFER 4.7.1 Message refused: " + ehlo + " (score)"},
      {true, true, true, false, "REJECT 5.7.1 Message refused: " + ehlo + "; " + sender + " (score)"},
  };
  for (const Case& c : cases) {
    CAPTURE(c.told);
    EngineRig rig(kThresholds);
    const test::Attributes changes = with(c.ehlo, c.sender, c.reverse_dns);
    CHECK(rig.told(c.outgoing ? outgoing_lines(changes) : request_lines(changes)) == c.told);
  }
}

TEST_CASE("engine: the configured text tells reasons and score") {
  EngineRig rig(kThresholds + "[score]\ntext = \"{score} points ({reasons}), sorry\"\n");
  CHECK(rig.action(request_lines(with(true, true, true))) ==
        "REJECT 5.7.1 20 points (client has no reverse DNS name; EHLO name is not fully qualified; sender address is "
        "not fully qualified), sorry");
}

TEST_CASE("engine: a verdict carries its score and findings in the order of the checks") {
  EngineRig rig(kThresholds);
  const Verdict verdict = rig.decide(request_lines(with(true, false, true)));
  CHECK(verdict.score == 15);
  REQUIRE(verdict.findings.size() == 2);
  CHECK(verdict.findings[0].check->name == "reverse_dns");
  CHECK(verdict.findings[0].weight == 5);
  CHECK(verdict.findings[1].check->name == "ehlo");
  CHECK(verdict.findings[1].outcome->name == "unqualified");
  CHECK(verdict.findings[1].weight == 10);
}

TEST_CASE("engine: held mail is remembered as held, and charged") {
  EngineRig rig("[score.outgoing]\nhold = 5\n[checks.ehlo]\noutgoing = 5\n");
  const std::string lines = outgoing_lines({{"helo_name", "nodot"}});
  CHECK(rig.told(lines) == "HOLD Message refused: EHLO name is not fully qualified (score)");
  CHECK(rig.told(lines) == "HOLD Message refused: EHLO name is not fully qualified (earlier)");
  CHECK(rig.store.asked.size() == 1);
}

TEST_CASE("engine: what speaks for the mail is taken from the score") {
  EngineRig rig("[score.incoming]\nreject = 10\n[checks.ehlo]\nincoming = 10\n[checks.sender]\nincoming = -1\n");
  const Verdict verdict = rig.decide(request_lines(with(true, true, false)));
  CHECK(action_of(verdict) == "DUNNO");
  CHECK(verdict.score == 9);
  CHECK(rig.action(request_lines(with(true, false, false))) ==
        "REJECT 5.7.1 Message refused: EHLO name is not fully qualified");
}

TEST_CASE("engine: a dry run is shown and counted, never acted on") {
  for (const char* block : {"false", "true"}) {
    CAPTURE(block);
    EngineRig rig("[score.incoming]\nreject = 10\n[checks.ehlo]\nincoming = 100\ndry_run = true\nblock = " +
                  std::string(block) + "\n");
    const Verdict verdict = rig.decide(request_lines(with(true, false, false)));
    CHECK(action_of(verdict) == "DUNNO");
    CHECK(verdict.score == 0);
    REQUIRE(verdict.findings.size() == 1);
    CHECK(verdict.findings[0].weight == 100);
    CHECK_FALSE(verdict.findings[0].counted);
    CHECK(rig.counted("ehlo").hits == 1);
  }
}

TEST_CASE("engine: a check with block = true rejects at once, where it weighs something against the mail") {
  const auto told = [](const std::string& weights, const std::string& lines) {
    EngineRig rig("[score.incoming]\ndefer = 1\nreject = 0\n[score.outgoing]\nreject = 0\n"
                  "[checks.ehlo]\nblock = true\n" + weights);
    return rig.told(lines);
  };
  const std::string incoming = request_lines(with(true, false, false));
  const std::string outgoing = outgoing_lines({{"helo_name", "nodot"}});
  const std::string rejected = "REJECT 5.7.1 Message refused: EHLO name is not fully qualified (check)";
  CHECK(told("incoming = 1\noutgoing = 0\n", incoming) == rejected);
  CHECK(told("incoming = 1\noutgoing = 0\n", outgoing) == "DUNNO (none)");
  CHECK(told("incoming = 1\noutgoing = 2\n", outgoing) == rejected);
  CHECK(told("incoming = -5\n", incoming) == "DUNNO (none)");
  CHECK(told("incoming = 1\n", request_lines()) == "DUNNO (none)");
}

TEST_CASE("engine: block = true of one check does not make the others reject") {
  EngineRig rig("[score.incoming]\ndefer = 0\nreject = 0\n[checks.ehlo]\nincoming = 1\n"
                "[checks.sender]\nincoming = 1\nblock = true\n");
  CHECK(rig.told(request_lines(with(true, false, false))) == "DUNNO (none)");
  CHECK(rig.told(request_lines(with(true, true, false))) ==
        "REJECT 5.7.1 Message refused: EHLO name is not fully qualified; sender address is not fully qualified "
        "(check)");
}

TEST_CASE("engine: a check that could not be done is neutral, and counted") {
  EngineRig rig("[score.incoming]\nreject = 1\n[checks.reverse_dns]\nincoming = 10\nblock = true\n");
  const Verdict verdict = rig.decide(request_lines({{"client_address", "unknown"}}));
  CHECK(action_of(verdict) == "DUNNO");
  CHECK(verdict.cause == Cause::none);
  CHECK(verdict.score == 0);
  REQUIRE(verdict.findings.size() == 1);
  CHECK(verdict.findings[0].outcome == nullptr);
  CHECK(verdict.findings[0].detail == "the client's address is not known");
  CHECK(rig.counted("reverse_dns").errors == 1);
  CHECK(rig.counted("reverse_dns").hits == 0);
}

TEST_CASE("engine: a check that weighs nothing in a direction is not asked there") {
  EngineRig rig("[checks.reverse_dns]\nincoming = 0\noutgoing = 1\n");
  CHECK(rig.decide(request_lines({{"client_address", "unknown"}})).findings.empty());
  CHECK(rig.counted("reverse_dns").errors == 0);
  CHECK(rig.decide(outgoing_lines({{"client_address", "unknown"}})).findings.size() == 1);
  CHECK(rig.counted("reverse_dns").errors == 1);
}

}  // namespace
}  // namespace policyd
