// The engine and a DNS that says of every domain that it takes no mail.
#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "policyd/domain_answers.h"
#include "tests/support/captured_log.h"
#include "tests/support/engine_rig.h"
#include "tests/support/postfix_connection.h"

namespace policyd {
namespace {

using test::CapturedLog;
using test::EngineRig;
using test::outgoing_lines;
using test::PostfixConnection;
using test::request_lines;

const std::string kLooking = "[checks.recipient_domain]\n[accounts.default]\ninvalid_recipients = [\"50/1d\"]\n";
constexpr int kMost = static_cast<int>(DomainAnswers::kMost);
const std::string kDoubted = "the DNS says of all domains that they take no mail";

struct World {
  explicit World(const std::string& more = "") : rig(more + kLooking) {
    rig.resolver.add("x.example MX 10 mail.stranger.example\n"
                     "example.com MX 10 mail.stranger.example\n");
  }
  // A message of its own to a recipient.
  Verdict mail_to(const std::string& recipient) {
    return rig.decide(outgoing_lines({{"recipient", recipient}, {"instance", std::to_string(++messages)}}));
  }
  Verdict mail_from(const std::string& sender) {
    return rig.decide(request_lines({{"sender", sender}, {"instance", std::to_string(++messages)}}));
  }
  void mail_nowhere(int times) {
    for (int i = 0; i < times; ++i) mail_to("a@nowhere" + std::to_string(i) + ".example");
  }
  // What is found of a recipient in no domain: its weight is 5.
  bool believes() { return rig.explain(outgoing_lines({{"recipient", "a@nowhere.example"}})).score == 5; }

  EngineRig rig;
  int messages = 0;
};

TEST_CASE("domain answers: who says no to everything is believed a few times, and told of once") {
  World world;
  const CapturedLog log;
  world.mail_nowhere(kMost);
  CHECK(world.believes());
  CHECK(log.lines().empty());
  for (int i = 0; i < 2; ++i) {
    const Verdict verdict = world.mail_to("b@nowhere.example");
    REQUIRE(verdict.findings.size() == 1);
    CHECK(verdict.findings[0].outcome == nullptr);
    CHECK(verdict.findings[0].detail == kDoubted);
    CHECK(verdict.score == 0);
  }
  CHECK(world.rig.counted("recipient_domain").errors == 2);
  REQUIRE(log.lines().size() == 1);
  CHECK(log.lines()[0] == "warning: dns: 11 domains of recipients in a row do not exist or take no mail: what the DNS "
                          "says of domains is not believed until one takes mail; see that the resolver answers for the "
                          "whole world");
  world.mail_to("a@x.example");
  CHECK(world.believes());
  REQUIRE(log.lines().size() == 2);
  CHECK(log.lines()[1] == "info: dns: a domain takes mail again: what the DNS says of domains is believed");
}

TEST_CASE("domain answers: a DNS that says no to everything makes no recipients invalid but a few") {
  World world;
  PostfixConnection connection(world.rig);
  for (int i = 0; i < 60; ++i) {
    connection.rcpt("a@nowhere" + std::to_string(i) + ".example", "m" + std::to_string(i), test::kQueueId);
  }
  world.rig.engine.end(connection.transaction);
  CHECK(connection.invalid().size() == static_cast<size_t>(kMost));
}

TEST_CASE("domain answers: what shows that the DNS says yes too") {
  struct Case {
    const char* label;
    std::string sender, recipient;
    bool shows;
    std::string more = "";
  };
  const std::vector<Case> cases{
      {"a recipient", "joe@example.com", "a@x.example", true},
      {"one in the sender's domain", "joe@x.example", "a@x.example", false},
      {"one in the login's domain", "joe@x.example", "a@example.com", false},
      {"an internal one", "joe@example.com", "a@x.example", false, "[traffic]\ninternal_domains = [\"x.example\"]\n"},
      {"one without a domain", "joe@example.com", "postmaster", false},
      {"one at an address", "joe@example.com", "joe@[192.0.2.1]", false},
      {"one that is nowhere too", "joe@example.com", "a@nowhere.example", false},
  };
  for (const Case& c : cases) {
    CAPTURE(c.label);
    World world(c.more);
    world.mail_nowhere(kMost + 1);
    REQUIRE_FALSE(world.believes());
    world.rig.decide(outgoing_lines({{"sender", c.sender}, {"recipient", c.recipient}, {"instance", "last"}}));
    CHECK(world.believes() == c.shows);
  }
}

TEST_CASE("domain answers: senders of incoming mail show that the DNS says yes, and never that it says no") {
  World world;
  for (int i = 0; i <= kMost; ++i) world.mail_from("a@nowhere" + std::to_string(i) + ".example");
  CHECK(world.believes());
  CHECK(world.mail_from("a@nowhere.example").score == 15);
  world.mail_nowhere(kMost + 1);
  CHECK_FALSE(world.believes());
  CHECK(world.mail_from("b@nowhere.example").score == 0);
  CHECK_FALSE(world.believes());
  world.mail_from("");
  CHECK_FALSE(world.believes());
  world.mail_from("a@x.example");
  CHECK(world.believes());
}

TEST_CASE("domain answers: one domain that takes no mail says it once, however often it is mailed to") {
  World world;
  for (int i = 0; i < 3 * kMost; ++i) world.mail_to("a@nowhere.example");
  world.mail_nowhere(kMost - 1);
  CHECK(world.believes());
  world.mail_to("a@nowhere.example");
  CHECK(world.believes());
  world.mail_to("a@nobody.example");
  CHECK_FALSE(world.believes());
}

TEST_CASE("domain answers: a domain that a cache may know shows that the DNS says yes once an hour") {
  World world;
  world.mail_to("a@x.example");
  world.mail_nowhere(kMost + 1);
  world.rig.clock.advance(DomainAnswers::kTells - Milliseconds(1));
  world.mail_to("b@x.example");
  world.mail_from("c@x.example");
  CHECK_FALSE(world.believes());
  world.rig.clock.advance(Milliseconds(1));
  world.mail_to("d@x.example");
  CHECK(world.believes());
  world.mail_nowhere(kMost + 1);
  world.mail_to("a@stranger.example");
  CHECK(world.believes());
}

TEST_CASE("domain answers: an explanation is not counted") {
  World world;
  for (int i = 0; i <= kMost; ++i) world.rig.explain(outgoing_lines({{"recipient", "a@nowhere.example"}}));
  CHECK(world.believes());
  world.mail_nowhere(kMost + 1);
  world.rig.explain(outgoing_lines({{"recipient", "a@x.example"}}));
  CHECK_FALSE(world.believes());
}

TEST_CASE("domain answers: a sender that must exist is let through while the DNS is not believed") {
  EngineRig rig(kLooking + "sender_must_exist = true\n");
  const auto told = [&rig](int number) {
    const std::string instance = std::to_string(number);
    return rig.told(outgoing_lines({{"recipient", "a@nowhere" + instance + ".example"}, {"instance", instance}}));
  };
  for (int i = 0; i < kMost; ++i) CHECK(told(i) == "REJECT 5.1.8 Sender domain cannot receive mail (rule)");
  CHECK(told(kMost) == "DUNNO (none)");
}

}  // namespace
}  // namespace policyd
