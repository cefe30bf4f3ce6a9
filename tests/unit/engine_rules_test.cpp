// The engine and the rules of accounts: sizes, recipients, senders; whom mail is charged to, and what does not count.
#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "tests/support/engine_rig.h"

namespace policyd {
namespace {

using test::EngineRig;
using test::outgoing_lines;
using test::request_lines;

TEST_CASE("engine: a rule of the account refuses, and what is refused is not charged") {
  struct Case {
    const char* label;
    std::string setting;
    std::string lines;
    std::string told;
  };
  const auto joe = [](std::string sender) {
    return outgoing_lines({{"sasl_username", "Joe@Example.COM"}, {"sender", std::move(sender)}});
  };
  const std::string not_allowed = "REJECT 5.7.1 Sender address not allowed for this account (rule)";
  const std::vector<Case> cases{
      {"a size at the bound", "max_size = \"1KB\"", outgoing_lines({{"size", "1000"}}), "DUNNO (none)"},
      {"a size over it", "max_size = \"1KB\"", outgoing_lines({{"size", "1001"}}),
       "REJECT 5.3.4 Message too large for this account (rule)"},
      {"the true size over it", "max_size = \"1KB\"",
       outgoing_lines({{"size", "1001"}, {"protocol_state", "END-OF-MESSAGE"}}),
       "REJECT 5.3.4 Message too large for this account (rule)"},
      {"its own address, in another case", "senders = [\"own\"]", joe("JOE@example.com"), "DUNNO (none)"},
      {"another address of its domain", "senders = [\"own\"]", joe("ann@example.com"), "DUNNO (none)"},
      {"an address of another domain", "senders = [\"own\"]", joe("joe@example.org"), not_allowed},
      {"a bounce", "senders = [\"own\"]", joe(""), "DUNNO (none)"},
      {"a domain in the list", "senders = [\"example.org\"]", joe("ann@example.org"), "DUNNO (none)"},
      {"incoming mail has no rules", "senders = [\"own\"]\nmax_size = \"1\"", request_lines({{"size", "9"}}),
       "DUNNO (none)"},
  };
  for (const Case& c : cases) {
    CAPTURE(c.label);
    EngineRig rig("[accounts.default]\n" + c.setting + "\n");
    CHECK(rig.told(c.lines) == c.told);
    if (c.told != "DUNNO (none)") {
      // Refused at its end, the message gives back what its recipients were charged.
      const bool ended = c.lines.find("END-OF-MESSAGE") != std::string::npos;
      REQUIRE(rig.store.asked.size() == (ended ? 1 : 0));
      if (ended) CHECK(rig.store.asked[0].kind == Charge::Kind::give_back);
      CHECK(rig.causes(Cause::rule) == 1);
      CHECK(rig.decide(c.lines).rule == (c.setting.starts_with("senders") ? "senders" : "max_size"));
    }
  }
}

TEST_CASE("engine: a recipient too many is put off, however often lists ask about the others") {
  EngineRig rig("[accounts.default]\nmax_recipients_per_message = 2\n");
  const auto to = [](std::string recipient, std::string instance = "i1") {
    return outgoing_lines({{"recipient", std::move(recipient)}, {"instance", std::move(instance)}});
  };
  const std::string too_many = "DEFER 4.5.3 Too many recipients (rule)";
  CHECK(rig.told(to("a@example.net")) == "DUNNO (none)");
  CHECK(rig.told(to("a@example.net")) == "DUNNO (earlier)");
  CHECK(rig.told(to("b@example.net")) == "DUNNO (none)");
  CHECK(rig.told(to("c@example.net")) == too_many);
  CHECK(rig.told(to("c@example.net")) == too_many);
  CHECK(rig.told(to("b@example.net")) == "DUNNO (earlier)");
  CHECK(rig.told(outgoing_lines({{"recipient", "B@example.net"}, {"instance", "i1"}})) == "DUNNO (none)");
  CHECK(rig.told(to("c@example.net", "i2")) == "DUNNO (none)");
  CHECK(test::action_of(rig.explain(to("d@example.net"))) == "DEFER 4.5.3 Too many recipients");
}

TEST_CASE("engine: recipients that a limit refused do not fill the message") {
  EngineRig rig("[accounts.default]\nmax_recipients_per_message = 1\n");
  rig.store.refuse({Meter::messages, 60, Milliseconds(60'000)}, std::nullopt);
  CHECK(rig.told(outgoing_lines({{"recipient", "a@example.net"}})) == "DEFER 4.7.1 Sending limit reached (limit)");
  rig.store.answer = {};
  CHECK(rig.told(outgoing_lines({{"recipient", "b@example.net"}})) == "DUNNO (none)");
}

TEST_CASE("engine: the sender's domain has to take mail where the account says so") {
  struct Case {
    const char* sender;
    const char* told;
  };
  const std::vector<Case> cases{
      {"ann@takes.example", "DUNNO (none)"},
      {"ann@nowhere.example", "REJECT 5.1.8 Sender domain cannot receive mail (rule)"},
      {"ann@null.example", "REJECT 5.1.8 Sender domain cannot receive mail (rule)"},
      {"ann@broken.example", "DUNNO (none)"},
      {"", "DUNNO (none)"},
  };
  for (const Case& c : cases) {
    CAPTURE(c.sender);
    EngineRig rig("[accounts.default]\nsender_must_exist = true\n");
    rig.resolver.add(R"(
      takes.example MX 10 mail.stranger.example
      null.example MX 0 .
      broken.example SERVFAIL
    )");
    const std::string lines = outgoing_lines({{"sender", c.sender}});
    CHECK(rig.told(lines) == c.told);
    CHECK(rig.decide(lines).findings.empty());
  }
}

TEST_CASE("engine: whoever need not block spam lets it pass") {
  const std::string score = "[score.outgoing]\nreject = 5\n[checks.ehlo]\noutgoing = 5\n";
  const std::string lines = outgoing_lines({{"helo_name", "nodot"}});
  EngineRig blocking(score);
  CHECK(blocking.decide(lines).cause == Cause::score);
  EngineRig rig(score + "[accounts.default]\nblock_outgoing_spam = false\n");
  const Verdict verdict = rig.decide(lines);
  CHECK(verdict.action == Action::dunno);
  CHECK(verdict.score == 5);
  EngineRig immediate(score + "block = true\n[accounts.default]\nblock_outgoing_spam = false\n");
  CHECK(immediate.decide(lines).cause == Cause::check);
}

TEST_CASE("engine: outgoing mail is charged to the login, its domain or the client's network") {
  struct Case {
    const char* account;
    std::string lines;
    std::string charged;
  };
  const auto from = [](std::string login, std::string client) {
    return outgoing_lines({{"sasl_username", std::move(login)}, {"client_address", std::move(client)}});
  };
  const std::vector<Case> cases{
      {"login", from("Joe@Example.com", "192.0.2.7"), "joe@example.com"},
      {"domain", from("Joe@Example.com", "192.0.2.7"), "example.com"},
      {"domain", from("joe", "192.0.2.7"), "joe"},
      {"domain", request_lines({{"client_address", "127.0.0.1"}}), "127.0.0.1"},
      {"network", from("joe@example.com", "192.0.2.7"), "192.0.2.0/24"},
      {"network", from("joe@example.com", "2001:db8::1"), "2001:db8::/64"},
      {"network", request_lines({{"client_address", "127.0.0.1"}}), "127.0.0.0/24"},
      {"network", from("joe@example.com", "unknown"), "joe@example.com"},
  };
  for (const Case& c : cases) {
    CAPTURE(c.charged);
    EngineRig rig("[traffic]\naccount = \"" + std::string(c.account) + "\"\n");
    CHECK(rig.decide(c.lines).account == c.charged);
    REQUIRE(rig.store.asked.size() == 1);
    CHECK(rig.store.asked[0].account == c.charged);
  }
}

TEST_CASE("engine: recipients in internal domains do not count, also when the message is settled") {
  EngineRig rig("[traffic]\ninternal_domains = [\"example.com\", \".example.org\"]\n");
  const auto to = [](std::string recipient) { return outgoing_lines({{"recipient", std::move(recipient)}}); };
  const auto data = [](std::string count) {
    return outgoing_lines({{"protocol_state", "DATA"}, {"recipient", ""}, {"recipient_count", std::move(count)}});
  };
  for (const char* internal : {"a@example.com", "B@Sub.Example.org", "a@example.com"}) rig.decide(to(internal));
  CHECK(rig.told(data("2")) == "DUNNO (none)");
  CHECK(rig.store.asked.empty());
  for (const char* external : {"a@sub.example.com", "b@example.org"}) rig.decide(to(external));
  CHECK(rig.store.asked.size() == 2);
  rig.decide(data("4"));
  REQUIRE(rig.store.asked.size() == 3);
  CHECK(rig.store.asked[2].recipients == 2);
}

TEST_CASE("engine: recipients in internal domains that Postfix refused take nothing from what the others are charged") {
  struct Case {
    const char* label;
    int external, internal;
    int64_t accepted;  // of both, as Postfix counts
    std::optional<int64_t> charged;
  };
  const std::vector<Case> cases{
      {"all accepted", 3, 2, 5, 3},
      {"all internal ones refused", 100, 99, 100, 100},
      {"as many internal ones as were accepted", 1, 3, 1, 1},
      {"an internal one refused", 2, 1, 2, 2},
      {"an external one refused for certain", 3, 1, 2, 2},
      {"none of them external", 0, 2, 2, std::nullopt},
      {"none of them external, one refused", 0, 2, 1, std::nullopt},
      {"more than are known here", 1, 1, 4, 3},
      {"more than are known here, all internal", 0, 1, 3, 2},
      {"how many is not known", 2, 1, 0, 0},
  };
  for (const Case& c : cases) {
    CAPTURE(c.label);
    EngineRig rig("[traffic]\ninternal_domains = [\"example.com\"]\n");
    const auto to = [&rig](std::string recipient) {
      rig.decide(outgoing_lines({{"recipient", std::move(recipient)}}));
    };
    for (int i = 0; i < c.external; ++i) to(std::to_string(i) + "@far.example");
    for (int i = 0; i < c.internal; ++i) to(std::to_string(i) + "@example.com");
    rig.store.asked.clear();
    rig.decide(outgoing_lines({{"protocol_state", "END-OF-MESSAGE"}, {"recipient", ""}, {"size", "4711"},
                               {"recipient_count", std::to_string(c.accepted)}}));
    REQUIRE(rig.store.asked.size() == (c.charged ? 1 : 0));
    if (!c.charged) continue;
    CHECK(rig.store.asked[0].recipients == *c.charged);
    CHECK(rig.store.asked[0].bytes == 4711);
  }
}

}  // namespace
}  // namespace policyd
