// The score: which findings are made of an observation, what counts, and what the thresholds make of a sum.
#include "policyd/score.h"

#include <doctest/doctest.h>

#include <string>
#include <vector>

namespace policyd {
namespace {

const CheckSpec kColour{"colour",
                        "what colour the mail has",
                        {{"red", "mail is red", 0, 0},
                         {"blue", "mail is blue", 0, 0},
                         {"green", "mail is green", 0, 0}}};
enum : size_t { kRed, kBlue, kGreen };

CheckSettings settings(bool dry_run = false) {
  CheckSettings all;
  all.weights = {std::vector<int>{10, 4, -3}, std::vector<int>{0, 7, 0}};
  all.dry_run = dry_run;
  return all;
}

std::vector<Finding> weighed(const Observation& observation, const CheckSettings& settings,
                             Direction direction = Direction::incoming) {
  std::vector<Finding> findings;
  weigh(kColour, settings, direction, observation, findings);
  return findings;
}

Observation seen(const std::vector<size_t>& outcomes) {
  Observation observation;
  for (const size_t index : outcomes) observation.outcomes.push_back({index, "seen"});
  return observation;
}

TEST_CASE("score: every outcome that weighs something in this direction is a finding") {
  const auto incoming = weighed(seen({kRed, kGreen}), settings());
  REQUIRE(incoming.size() == 2);
  CHECK(incoming[0].check == &kColour);
  CHECK(incoming[0].outcome == &kColour.outcomes[kRed]);
  CHECK(incoming[0].weight == 10);
  CHECK(incoming[0].counted);
  CHECK(incoming[0].detail == "seen");
  CHECK(incoming[1].weight == -3);

  const auto outgoing = weighed(seen({kRed, kBlue, kGreen}), settings(), Direction::outgoing);
  REQUIRE(outgoing.size() == 1);
  CHECK(outgoing[0].outcome == &kColour.outcomes[kBlue]);
  CHECK(outgoing[0].weight == 7);
}

TEST_CASE("score: findings are added to those of other checks") {
  std::vector<Finding> findings = weighed(seen({kRed}), settings());
  weigh(kColour, settings(), Direction::incoming, seen({kBlue}), findings);
  CHECK(findings.size() == 2);
  CHECK(sum_of(findings) == 14);
}

TEST_CASE("score: a check that could not be done is a finding that weighs nothing and says why") {
  Observation observation;
  observation.error = "no answer by the deadline";
  const auto findings = weighed(observation, settings());
  REQUIRE(findings.size() == 1);
  CHECK(findings[0].outcome == nullptr);
  CHECK(findings[0].weight == 0);
  CHECK_FALSE(findings[0].counted);
  CHECK(findings[0].detail == "no answer by the deadline");
  CHECK(sum_of(findings) == 0);
  CHECK(reasons_of(findings).empty());
}

TEST_CASE("score: a dry run shows its weight and adds nothing") {
  const auto findings = weighed(seen({kRed}), settings(true));
  REQUIRE(findings.size() == 1);
  CHECK(findings[0].weight == 10);
  CHECK_FALSE(findings[0].counted);
  CHECK(sum_of(findings) == 0);
  CHECK(reasons_of(findings).empty());
}

TEST_CASE("score: the sum takes what speaks for the mail away") {
  CHECK(sum_of({}) == 0);
  CHECK(sum_of(weighed(seen({kRed, kBlue, kGreen}), settings())) == 11);
  CHECK(sum_of(weighed(seen({kGreen}), settings())) == -3);
}

TEST_CASE("score: the hardest threshold that is reached wins, and 0 is off") {
  struct Case {
    Thresholds thresholds;
    int score;
    Action action;
  };
  const std::vector<Case> cases{
      {{20, 25, 30}, 19, Action::dunno},  {{20, 25, 30}, 20, Action::defer},  {{20, 25, 30}, 24, Action::defer},
      {{20, 25, 30}, 25, Action::hold},   {{20, 25, 30}, 29, Action::hold},   {{20, 25, 30}, 30, Action::reject},
      {{20, 25, 30}, 999, Action::reject}, {{20, 0, 30}, 29, Action::defer},  {{0, 0, 30}, 29, Action::dunno},
      {{20, 25, 0}, 999, Action::hold},   {{20, 0, 0}, 999, Action::defer},   {{0, 0, 0}, 999, Action::dunno},
      {{0, 0, 0}, 0, Action::dunno},      {{20, 25, 30}, 0, Action::dunno},   {{20, 25, 30}, -5, Action::dunno},
      {{30, 20, 10}, 35, Action::reject}, {{30, 20, 10}, 12, Action::reject}, {{30, 20, 0}, 35, Action::hold},
  };
  for (const Case& c : cases) {
    CAPTURE(c.thresholds.defer);
    CAPTURE(c.thresholds.hold);
    CAPTURE(c.thresholds.reject);
    CAPTURE(c.score);
    CHECK(action_name(action_for(c.thresholds, c.score)) == action_name(c.action));
  }
}

TEST_CASE("score: the reasons are those of what spoke against the mail") {
  CHECK(reasons_of({}).empty());
  CHECK(reasons_of(weighed(seen({kRed}), settings())) == "mail is red");
  CHECK(reasons_of(weighed(seen({kRed, kGreen, kBlue}), settings())) == "mail is red; mail is blue");
}

TEST_CASE("score: reasons and score are filled in wherever they stand") {
  struct Case {
    std::string text, filled;
  };
  const std::vector<Case> cases{
      {"Message refused: {reasons}", "Message refused: mail is red"},
      {"{score} points: {reasons} ({score})", "12 points: mail is red (12)"},
      {"Message refused", "Message refused"},
      {"{reason} {scores} {}", "{reason} {scores} {}"},
      {"{reasons}{reasons}", "mail is redmail is red"},
      {"", ""},
  };
  for (const Case& c : cases) CHECK(fill_in(c.text, "mail is red", 12) == c.filled);
  CHECK(fill_in("{reasons}", "say {reasons}", 1) == "say {reasons}");  // what is filled in is not looked at again
}

}  // namespace
}  // namespace policyd
