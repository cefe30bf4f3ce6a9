// Every DEFER, HOLD and REJECT of a live request has an id at the end of its text, and an entry in the journal.
#include <doctest/doctest.h>

#include <set>

#include "tests/support/engine_rig.h"
#include "policyd/reply.h"

namespace policyd {
namespace {

using test::action_of;
using test::EngineRig;
using test::outgoing_lines;
using test::request_lines;

constexpr auto kOn = EngineRig::Journaling::on;
const test::Attributes kBadEhlo{{"helo_name", "nodot"}};

// The action without its id, which is checked; "(none)" where there is none.
std::string without_id(const Verdict& verdict) {
  const std::string action = action_of(verdict), end = " (" + verdict.id + ")";
  if (verdict.id.empty()) return action + " (none)";
  CHECK(JournalId::parse(verdict.id));
  REQUIRE(action.ends_with(end));
  return action.substr(0, action.size() - end.size());
}

TEST_CASE("engine journal: whatever refuses has an id") {
  EngineRig rig("[score.incoming]\nreject = 10\n[checks.ehlo]\nincoming = 10\n[greylist]\nenabled = true\n", kOn);
  CHECK(without_id(rig.decide(request_lines(kBadEhlo))) ==
        "REJECT 5.7.1 Message refused: EHLO name is not fully qualified");
  rig.store.greylisted = {GreylistResult::Outcome::first, Milliseconds{240'000}};
  CHECK(without_id(rig.decide(request_lines())) ==
        "DEFER_IF_PERMIT 4.7.1 Greylisted, please try again in 240 seconds");
  rig.store.refuse({Meter::messages, 60, Milliseconds{60'000}}, Milliseconds{1'000});
  CHECK(without_id(rig.decide(outgoing_lines())) == "DEFER 4.7.1 Sending limit reached, try again in 1 second");
  rig.block(BlockType::email, "ann@stranger.example", BlockDirection::both, "450 4.2.0 Come back");
  rig.block(BlockType::account, "joe@example.com");
  CHECK(without_id(rig.decide(request_lines())) == "450 4.2.0 Come back");
  CHECK(without_id(rig.decide(outgoing_lines())) == "550 5.7.1 Mail refused by local policy");
  CHECK(rig.journal.status().waiting == 5);
  rig.loop.run(rig.journal.hand_over());
  std::set<std::string> causes;
  for (const JournalRow& row : rig.store.journaled.at(0).rows) causes.insert(Json::parse(row.text)["cause"]);
  CHECK(causes == std::set<std::string>{"score", "greylist", "limit", "block"});
}

TEST_CASE("engine journal: what passes, and what is only explained, has none") {
  EngineRig rig("[score.incoming]\nreject = 10\n[checks.ehlo]\nincoming = 10\n", kOn);
  CHECK(without_id(rig.decide(request_lines())) == "DUNNO (none)");
  CHECK(without_id(rig.explain(request_lines(kBadEhlo))) ==
        "REJECT 5.7.1 Message refused: EHLO name is not fully qualified (none)");
  CHECK(without_id(rig.decide(request_lines({{"protocol_state", "MAIL"}, {"helo_name", "nodot"}}))) == "DUNNO (none)");
  CHECK(rig.journal.status().waiting == 0);
}

TEST_CASE("engine journal: what is held keeps its id in all restriction lists, and has one entry") {
  EngineRig rig("[score.incoming]\nhold = 10\nreject = 0\n[checks.ehlo]\nincoming = 10\n", kOn);
  const Verdict first = rig.decide(request_lines(kBadEhlo));
  CHECK(without_id(first) == "HOLD Message refused: EHLO name is not fully qualified");
  const Verdict second = rig.decide(request_lines(kBadEhlo));
  CHECK(second.cause == Cause::earlier);
  CHECK(action_of(second) == action_of(first));
  CHECK(rig.journal.status().waiting == 1);
  // The queue id comes with the end of the message.
  rig.decide(request_lines({{"helo_name", "nodot"}, {"protocol_state", "END-OF-MESSAGE"}, {"queue_id", "4XyZ"}}));
  rig.loop.run(rig.journal.hand_over());
  REQUIRE(rig.store.journaled.at(0).rows.size() == 2);
  CHECK(Json::parse(rig.store.journaled[0].rows[1].text)["queued"]["queue_id"] == "4XyZ");
}

TEST_CASE("engine journal: the log line has the id, also of a text that is cut") {
  EngineRig rig("[limits]\ntext = \"" + std::string(250, 'x') + "\"\n", kOn);
  rig.store.refuse({Meter::messages, 60, Milliseconds{60'000}}, std::nullopt);
  const auto request = make_request(outgoing_lines());
  const Verdict verdict = rig.decide(outgoing_lines());
  std::string line;
  append_log_line(line, *request, verdict);
  CHECK(line.find(" id=\"" + verdict.id + "\"") != std::string::npos);
}

}  // namespace
}  // namespace policyd
