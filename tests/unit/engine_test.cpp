// From a request to a verdict: blocks, what is asked once, the header, explanations, a new configuration.
#include "policyd/engine.h"

#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "tests/support/engine_rig.h"

namespace policyd {
namespace {

using test::action_of;
using test::Asking;
using test::EngineRig;
using test::outgoing_lines;
using test::request_lines;

const std::string kRefusing = "[score.incoming]\nreject = 10\n[checks.ehlo]\nincoming = 10\n";
const test::Attributes kBadEhlo{{"helo_name", "nodot"}};

TEST_CASE("engine: mail that nothing speaks against passes, in both directions") {
  EngineRig rig;
  CHECK(rig.told(request_lines()) == "DUNNO (none)");
  CHECK(rig.told(outgoing_lines()) == "DUNNO (none)");
  CHECK(rig.engine.statistics().requests == 2);
  CHECK(rig.verdicts(Direction::incoming, Action::dunno) == 1);
  CHECK(rig.verdicts(Direction::outgoing, Action::dunno) == 1);
  CHECK(rig.causes(Cause::none) == 2);
}

TEST_CASE("engine: blocks come before checks and limits") {
  EngineRig rig(kRefusing);
  rig.block(BlockType::email, "ann@stranger.example");
  rig.block(BlockType::account, "joe@example.com");
  const Verdict verdict = rig.decide(request_lines(kBadEhlo));
  CHECK(action_of(verdict) == "550 5.7.1 Mail refused by local policy");
  CHECK(verdict.cause == Cause::block);
  REQUIRE(verdict.block != nullptr);
  CHECK(verdict.block->target.target == "ann@stranger.example");
  CHECK(verdict.findings.empty());
  CHECK(rig.counted("ehlo").hits == 0);
  CHECK(rig.told(outgoing_lines()) == "550 5.7.1 Mail refused by local policy (block)");
  CHECK(rig.store.asked.empty());
  CHECK(rig.verdicts(Direction::incoming, Action::reject) == 1);
  CHECK(rig.verdicts(Direction::outgoing, Action::reject) == 1);
  CHECK(rig.causes(Cause::block) == 2);
}

TEST_CASE("engine: a block is in force in its direction only") {
  struct Case {
    BlockDirection direction;
    bool incoming, outgoing;
  };
  for (const Case& c : {Case{BlockDirection::both, true, true}, Case{BlockDirection::in, true, false},
                        Case{BlockDirection::out, false, true}}) {
    EngineRig rig;
    rig.block(BlockType::recipient, "bob@example.com", c.direction);
    CHECK((rig.decide(request_lines()).cause == Cause::block) == c.incoming);
    CHECK((rig.decide(outgoing_lines()).cause == Cause::block) == c.outgoing);
  }
}

TEST_CASE("engine: a block's own reply goes before the usual one, where Postfix could use it") {
  struct Case {
    std::string reply, action;
    Action counted;
  };
  const std::vector<Case> cases{
      {"", "554 5.7.0 Go away", Action::reject},
      {"Call the postmaster", "554 5.7.0 Call the postmaster", Action::reject},
      {"551 5.1.6 Gone", "551 5.1.6 Gone", Action::reject},
      {"551 Gone", "551 5.7.1 Gone", Action::reject},
      {"450 4.2.0 Come back", "450 4.2.0 Come back", Action::defer},
      {"450", "554 5.7.0 Go away", Action::reject},
      {"250 2.0.0 Welcome", "554 5.7.0 Go away", Action::reject},
      {"550 5.7.1 two\nlines", "554 5.7.0 Go away", Action::reject},
      {" ", "554 5.7.0 Go away", Action::reject},
  };
  for (const Case& c : cases) {
    CAPTURE(c.reply);
    EngineRig rig("[blocks]\nreply = \"554 5.7.0 Go away\"\n");
    rig.block(BlockType::domain, "stranger.example", BlockDirection::both, c.reply);
    CHECK(rig.action(request_lines()) == c.action);
    CHECK(rig.verdicts(Direction::incoming, c.counted) == 1);
  }
}

TEST_CASE("engine: a configured reply of 4xx defers") {
  EngineRig rig("[blocks]\nreply = \"450 4.7.1 Later\"\n");
  rig.block(BlockType::client, "192.0.2.0/24");
  CHECK(rig.told(request_lines()) == "450 4.7.1 Later (block)");
  CHECK(rig.verdicts(Direction::incoming, Action::defer) == 1);
}

TEST_CASE("engine: a block is seen at once, also by a recipient that has passed before, and so is its end") {
  EngineRig rig;
  CHECK(rig.told(request_lines()) == "DUNNO (none)");
  rig.block(BlockType::ehlo, "stranger.example");
  CHECK(rig.told(request_lines()) == "550 5.7.1 Mail refused by local policy (block)");
  rig.mirror.remove_block({BlockType::ehlo, "stranger.example"});
  CHECK(rig.told(request_lines()) == "DUNNO (earlier)");
}

TEST_CASE("engine: before RCPT nothing is refused, nor charged") {
  EngineRig rig(kRefusing);
  rig.block(BlockType::client, "192.0.2.1");
  for (const char* state : {"CONNECT", "EHLO", "HELO", "MAIL", "VRFY", "ETRN", "", "NEW-STATE"}) {
    CAPTURE(state);
    CHECK(rig.told(request_lines({{"protocol_state", state}, {"helo_name", "nodot"}})) == "DUNNO (not_asked)");
    CHECK(rig.told(outgoing_lines({{"protocol_state", state}})) == "DUNNO (not_asked)");
  }
  CHECK(rig.store.asked.empty());
  CHECK(rig.causes(Cause::not_asked) == 16);
}

TEST_CASE("engine: a recipient is checked and charged once, however many lists ask") {
  EngineRig rig("[checks.sender]\noutgoing = 1\n");
  const auto of = [](const char* recipient, const char* instance) {
    return outgoing_lines({{"sender", "joe"}, {"recipient", recipient}, {"instance", instance}});
  };
  CHECK(rig.told(of("a@example.com", "1")) == "DUNNO (none)");
  CHECK(rig.told(of("a@example.com", "1")) == "DUNNO (earlier)");
  CHECK(rig.told(of("a@example.com", "1")) == "DUNNO (earlier)");
  CHECK(rig.store.asked.size() == 1);
  CHECK(rig.counted("sender").hits == 1);
  CHECK(rig.told(of("b@example.com", "1")) == "DUNNO (none)");
  CHECK(rig.told(of("a@example.com", "2")) == "DUNNO (none)");
  CHECK(rig.store.asked.size() == 3);
  CHECK(rig.engine.statistics().requests == 5);
  CHECK(rig.causes(Cause::earlier) == 2);
}

TEST_CASE("engine: without an instance every question is new") {
  EngineRig rig;
  const std::string lines = outgoing_lines({{"instance", ""}});
  CHECK(rig.told(lines) == "DUNNO (none)");
  CHECK(rig.told(lines) == "DUNNO (none)");
  CHECK(rig.store.asked.size() == 2);
}

TEST_CASE("engine: what was refused is not remembered, and has charged nothing") {
  EngineRig rig("[score.outgoing]\nreject = 10\n[checks.ehlo]\noutgoing = 10\n");
  test::Attributes bad = kBadEhlo;
  for (int i = 0; i < 2; ++i) {
    CHECK(rig.told(outgoing_lines(bad)) ==
          "REJECT 5.7.1 Message refused: EHLO name is not fully qualified (score)");
  }
  CHECK(rig.store.asked.empty());
  CHECK(rig.counted("ehlo").hits == 2);

  rig.store.refuse({Meter::messages, 60, Milliseconds(60'000)}, Milliseconds(5'000));
  CHECK(rig.told(outgoing_lines()) == "DEFER 4.7.1 Sending limit reached, try again in 5 seconds (limit)");
  rig.store.answer = {};
  CHECK(rig.told(outgoing_lines()) == "DUNNO (none)");
  CHECK(rig.store.asked.size() == 2);
}

TEST_CASE("engine: the header is given once per message, to the first recipient that passes") {
  EngineRig rig("[score]\nheader = \"X-Score\"\n[checks.ehlo]\nincoming = { unqualified = 3 }\n"
                "[checks.sender]\nincoming = 4\n[checks.reverse_dns]\nincoming = 9\ndry_run = true\n");
  rig.block(BlockType::recipient, "no@example.com");
  const auto of = [](const char* recipient, const char* instance, test::Attributes changes = {}) {
    changes["recipient"] = recipient;
    changes["instance"] = instance;
    return request_lines(changes);
  };
  CHECK(rig.action(of("no@example.com", "1")) == "550 5.7.1 Mail refused by local policy");
  CHECK(rig.action(of("a@example.com", "1")) == "PREPEND X-Score: 0");
  CHECK(rig.action(of("a@example.com", "1")) == "DUNNO");
  CHECK(rig.action(of("b@example.com", "1")) == "DUNNO");
  const test::Attributes bad{{"helo_name", "nodot"}, {"sender", "ann"}, {"reverse_client_name", "unknown"}};
  CHECK(rig.action(of("a@example.com", "2", bad)) == "PREPEND X-Score: 7 (ehlo.unqualified=3, sender.unqualified=4)");
  CHECK(rig.action(of("b@example.com", "2", bad)) == "DUNNO");
  CHECK(rig.verdicts(Direction::incoming, Action::prepend) == 2);
  CHECK(rig.action(of("a@example.com", "")) == "DUNNO");  // cannot be told from other messages
  rig.engine.reconfigure(test::config_from("[score]\nheader = \"X-Score\"\n"));
  CHECK(rig.action(of("c@example.com", "1")) == "DUNNO");
  CHECK(rig.action(of("c@example.com", "3")).starts_with("PREPEND X-Score: "));
}

// What is answered to questions about one message, one after the other: "DUNNO", "X-Score", "Received-SPF".
std::string fields_of(EngineRig& rig, const std::vector<test::Attributes>& questions) {
  std::string said;
  for (test::Attributes changes : questions) {
    changes.emplace("instance", "1");
    const std::string action = rig.action(request_lines(changes));
    said += said.empty() ? "" : ", ";
    said += action.starts_with("PREPEND ") ? action.substr(8, action.find(':') - 8) : action;
  }
  return said;
}

const std::string kReceivedSpf = "[checks.spf]\nincoming = 0\nreceived_spf = true\n";
const test::Attributes kA{{"recipient", "a@example.com"}}, kB{{"recipient", "b@example.com"}},
    kData{{"protocol_state", "DATA"}}, kEnd{{"protocol_state", "END-OF-MESSAGE"}};

TEST_CASE("engine: Received-SPF is given once per message, and SPF is asked for it alone") {
  {
    EngineRig rig(kReceivedSpf);
    const std::string action = rig.action(request_lines({{"instance", "1"}}));
    CHECK(action.starts_with("PREPEND Received-SPF: neutral ("));
    CHECK(action.find(" client-ip=192.0.2.1; identity=mailfrom; envelope-from=\"ann@stranger.example\"; "
                      "helo=mail.stranger.example; ") != std::string::npos);
    CHECK(rig.verdicts(Direction::incoming, Action::prepend) == 1);
    CHECK(fields_of(rig, {kA, kB, kData, kEnd}) == "DUNNO, DUNNO, DUNNO, DUNNO");
    CHECK(fields_of(rig, {{{"instance", "2"}}, {{"instance", ""}}}) == "Received-SPF, DUNNO");
  }
  {
    EngineRig rig(kReceivedSpf);
    rig.block(BlockType::recipient, "a@example.com");
    CHECK(fields_of(rig, {kA, kB, kData}) == "550 5.7.1 Mail refused by local policy, Received-SPF, DUNNO");
  }
  {
    EngineRig rig(kReceivedSpf + "[[allow]]\nrecipients = [\"a@example.com\"]\n");
    CHECK(fields_of(rig, {kA, kB, kData}) == "DUNNO, Received-SPF, DUNNO");
  }
  EngineRig rig(kReceivedSpf);
  CHECK(rig.action(outgoing_lines()) == "DUNNO");
}

TEST_CASE("engine: of two header fields the second goes with the next question about the message") {
  const std::string both = "[score]\nheader = \"X-Score\"\n" + kReceivedSpf;
  const std::vector<std::pair<std::vector<test::Attributes>, std::string>> cases = {
      {{kA, kB, kData}, "X-Score, Received-SPF, DUNNO"},
      {{kA, kA, kA, kB}, "X-Score, Received-SPF, DUNNO, DUNNO"},
      {{kA, kData, kEnd}, "X-Score, Received-SPF, DUNNO"},
      {{kA, kEnd}, "X-Score, DUNNO"},
      {{kData}, "DUNNO"},
  };
  for (const auto& [questions, want] : cases) {
    EngineRig rig(both);
    CHECK(fields_of(rig, questions) == want);
  }
  EngineRig rig(both + "[[allow]]\nrecipients = [\"a@example.com\"]\n");
  CHECK(fields_of(rig, {kA, kB, kData}) == "X-Score, Received-SPF, DUNNO");
}

TEST_CASE("engine: an explanation says every finding, and changes nothing") {
  EngineRig rig("[score]\nheader = \"X-Score\"\n[checks.ehlo]\noutgoing = 4\n");
  const std::string lines = outgoing_lines(kBadEhlo);
  for (int i = 0; i < 2; ++i) {
    const Verdict explained = rig.explain(lines);
    CHECK(action_of(explained) == "DUNNO");
    CHECK(explained.cause == Cause::none);
    CHECK(explained.score == 4);
    CHECK(explained.findings.size() == 1);
  }
  CHECK(rig.engine.statistics().requests == 0);
  CHECK(rig.verdicts(Direction::outgoing, Action::dunno) == 0);
  CHECK(rig.counted("ehlo").hits == 0);
  REQUIRE(rig.store.asked.size() == 2);
  CHECK(rig.store.asked[0].dry_run);
  CHECK(rig.store.asked[1].dry_run);

  CHECK(rig.told(lines) == "PREPEND X-Score: 4 (ehlo.unqualified=4) (none)");  // nothing was used up or remembered
  REQUIRE(rig.store.asked.size() == 3);
  CHECK_FALSE(rig.store.asked[2].dry_run);
  CHECK(rig.explain(lines).findings.size() == 1);  // though it is known by now
  rig.explain(outgoing_lines({{"protocol_state", "DATA"}}));
  CHECK(rig.store.asked.back().dry_run);
}

TEST_CASE("engine: an explanation of what is blocked or over a limit") {
  EngineRig rig;
  rig.block(BlockType::client, "192.0.2.1", BlockDirection::in);
  CHECK(rig.explain(request_lines()).cause == Cause::block);
  rig.store.refuse({Meter::messages, 60, Milliseconds(60'000)}, Milliseconds(1'000));
  CHECK(action_of(rig.explain(outgoing_lines())) == "DEFER 4.7.1 Sending limit reached, try again in 1 second");
  CHECK(rig.engine.statistics().requests == 0);
}

TEST_CASE("engine: a request under way ends with the configuration it began with") {
  EngineRig rig("[limits]\ntext = \"Old limit\"\n[accounts.default]\non_limit = \"reject\"\n");
  const auto fresh = test::config_from("[limits]\ntext = \"New limit\"\n[accounts.default]\non_limit = \"hold\"\n");
  rig.store.refuse({Meter::messages, 60, Milliseconds(60'000)}, std::nullopt);
  rig.store.gate.close();
  const Asking recipient(rig.engine, outgoing_lines());
  const Asking message(rig.engine, outgoing_lines({{"protocol_state", "END-OF-MESSAGE"}}));
  CHECK_FALSE(recipient.done());
  rig.engine.reconfigure(fresh);
  CHECK(rig.engine.config().limits.text == "New limit");
  rig.store.gate.open();
  CHECK(action_of(recipient.verdict()) == "REJECT 5.7.1 Old limit");
  CHECK(action_of(message.verdict()) == "REJECT 5.7.1 Old limit");
  CHECK(rig.action(outgoing_lines()) == "HOLD New limit");
}

TEST_CASE("engine: a new configuration is asked about recipients that passed under the old one") {
  EngineRig rig;
  CHECK(rig.told(request_lines(kBadEhlo)) == "DUNNO (none)");
  rig.engine.reconfigure(test::config_from(kRefusing));
  CHECK(rig.told(request_lines(kBadEhlo)) ==
        "REJECT 5.7.1 Message refused: EHLO name is not fully qualified (score)");
}

TEST_CASE("engine: one request that waits does not hold up another") {
  EngineRig rig;
  rig.store.gate.close();
  const Asking waits(rig.engine, outgoing_lines());
  CHECK(rig.told(request_lines()) == "DUNNO (none)");
  {
    const Asking dropped(rig.engine, outgoing_lines({{"instance", "2"}}));
    CHECK(rig.store.gate.waiting() == 2);
  }
  CHECK(rig.store.gate.waiting() == 1);
  rig.store.gate.open();
  CHECK(action_of(waits.verdict()) == "DUNNO");
  CHECK(rig.engine.statistics().requests == 2);
}

}  // namespace
}  // namespace policyd
