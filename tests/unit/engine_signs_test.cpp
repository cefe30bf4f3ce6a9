// The engine and signs: what it has counted with a charge, and what of its own accord.
#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "policyd/reply.h"
#include "tests/support/engine_rig.h"
#include "tests/support/postfix_connection.h"

namespace policyd {
namespace {

using test::EngineRig;
using test::kQueueId;
using test::outgoing_lines;
using test::PostfixConnection;

const std::string kSigns = "[accounts.default]\nmessages = [\"60/1m\"]\nrecipients = []\nbytes = []\n"
                           "distinct_recipients = [\"500/1d\"]\nclient_networks = [\"5/1d\"]\n"
                           "invalid_recipients = []\n";
const Limit kDay{Meter::distinct_recipients, 500, Milliseconds(86'400'000)};

TEST_CASE("engine: signs are counted with the charge, and told in the verdict") {
  EngineRig rig(kSigns);
  rig.store.answer.sign = kDay;
  rig.store.answer.sign_used = 501;
  const Verdict verdict = rig.decide(outgoing_lines({{"client_address", "2001:db8::1"}}));
  CHECK(verdict.action == Action::dunno);
  CHECK(verdict.charge.sign == kDay);
  REQUIRE(rig.store.asked.size() == 1);
  CHECK(rig.store.asked[0].signs == Limits{kDay, {Meter::client_networks, 5, Milliseconds(86'400'000)}});
  CHECK(rig.store.asked[0].limits == Limits{{Meter::messages, 60, Milliseconds(60'000)}});
  CHECK(rig.store.asked[0].network == "2001:db8::/64");
  const auto request = make_request(outgoing_lines());
  std::string line;
  append_log_line(line, *request, verdict);
  CHECK(line.find(" sign=\"distinct_recipients 501 of 500/1d\"") != std::string::npos);
}

TEST_CASE("engine: without signs nothing of them is asked for") {
  EngineRig rig("[accounts.default]\ndistinct_recipients = []\ninvalid_recipients = []\n");
  rig.decide(outgoing_lines());
  REQUIRE(rig.store.asked.size() == 1);
  CHECK(rig.store.asked[0].signs.empty());
  CHECK(rig.store.asked[0].network.empty());
}

TEST_CASE("engine: a score over a threshold is spam once for each message, refused or not") {
  const std::string toml = "[score.outgoing]\nreject = 5\n[checks.ehlo]\noutgoing = 5\n"
                           "[accounts.default]\nmessages = []\nrecipients = []\nbytes = []\nspam = [\"3/1h\"]\n";
  struct Case {
    const char* label;
    std::string more;
    bool passes;
  };
  for (const Case& c : {Case{"refused", "", false}, Case{"let through", "block_outgoing_spam = false\n", true}}) {
    CAPTURE(c.label);
    EngineRig rig(toml + c.more);
    const auto spam = [](std::string recipient, std::string instance) {
      return outgoing_lines({{"helo_name", "nodot"}, {"recipient", recipient}, {"instance", instance}});
    };
    CHECK((rig.decide(spam("a@x.example", "1")).action == Action::dunno) == c.passes);
    rig.decide(spam("b@x.example", "1"));
    rig.decide(spam("a@x.example", "2"));
    rig.explain(spam("a@x.example", "3"));
    rig.decide(outgoing_lines({{"instance", "4"}}));
    int64_t counted = 0;
    for (const auto& asked : rig.store.asked) {
      if (asked.kind != Charge::Kind::sign) continue;
      CHECK(asked.account == "joe@example.com");
      CHECK(asked.meter == Meter::spam);
      counted += asked.amount;
    }
    CHECK(counted == 2);
  }
}

TEST_CASE("engine: a message that a limit refuses is one hit, however often and for however many recipients") {
  for (const std::string on_limit : {"defer", "hold"}) {
    CAPTURE(on_limit);
    EngineRig rig("[accounts.default]\nlimit_hits = [\"20/1h\"]\non_limit = \"" + on_limit + "\"\n");
    rig.store.refuse({Meter::messages, 60, Milliseconds(60'000)}, Milliseconds(1'000));
    const auto ask = [&](std::string recipient, std::string instance, std::string state = "RCPT") {
      rig.decide(outgoing_lines({{"recipient", recipient}, {"instance", instance}, {"protocol_state", state}}));
    };
    for (const char* recipient : {"a@x.example", "a@x.example", "b@x.example"}) ask(recipient, "1");
    ask("", "1", "DATA");
    ask("", "1", "END-OF-MESSAGE");
    rig.explain(outgoing_lines({{"instance", "2"}}));
    const auto count = [&] {
      const auto is_sign = [](const auto& asked) { return asked.kind == Charge::Kind::sign; };
      return std::count_if(rig.store.asked.begin(), rig.store.asked.end(), is_sign);
    };
    CHECK(count() == 1);
    CHECK(rig.store.asked[1].meter == Meter::limit_hits);
    CHECK(rig.store.asked[1].amount == 1);
    ask("a@x.example", "2");
    CHECK(count() == 2);
    ask("a@x.example", "");
    ask("a@x.example", "");
    CHECK(count() == 4);
    rig.store.answer = {};
    ask("a@x.example", "3");
    CHECK(count() == 4);
  }
}

TEST_CASE("engine: a sign that spam has met stays in the verdict of a recipient that is charged") {
  EngineRig rig("[score.outgoing]\nreject = 5\n[checks.ehlo]\noutgoing = 5\n"
                "[accounts.default]\nspam = [\"0/1h\"]\nblock_outgoing_spam = false\n");
  rig.store.answer.sign = Limit{Meter::spam, 0, Milliseconds(3'600'000)};
  const Verdict verdict = rig.decide(outgoing_lines({{"helo_name", "nodot"}}));
  CHECK(rig.store.asked.size() == 2);
  CHECK(verdict.charge.sign.has_value());
}

TEST_CASE("engine: recipients of a message that never comes to DATA are invalid, once Postfix asks at DATA at all") {
  EngineRig rig("[accounts.default]\ninvalid_recipients = [\"50/1d\"]\n");
  PostfixConnection connection(rig);
  connection.rcpt("a@x.example", "1");
  connection.rcpt("a@x.example", "2");
  CHECK(connection.invalid().empty());  // nobody knows yet
  connection.data("2");
  for (const char* to : {"a@x.example", "b@x.example", "a@x.example"}) connection.rcpt(to, "3");
  connection.rcpt("a@x.example", "4");
  CHECK(connection.invalid() == std::vector<int64_t>{2});
  connection.data("4");
  connection.rcpt("a@x.example", "5");
  CHECK(connection.invalid() == std::vector<int64_t>{2});
  rig.engine.end(connection.transaction);
  CHECK(connection.invalid() == std::vector<int64_t>{2, 1});
  rig.engine.end(connection.transaction);
  CHECK(connection.invalid() == std::vector<int64_t>{2, 1});
}

TEST_CASE("engine: a message may come to DATA on another connection") {
  EngineRig rig("[accounts.default]\ninvalid_recipients = [\"50/1d\"]\n");
  PostfixConnection of_recipients(rig), of_data(rig);
  of_recipients.rcpt("a@x.example", "1");
  of_data.data("1");
  of_recipients.rcpt("a@x.example", "2");
  CHECK(of_recipients.invalid().empty());
  rig.engine.end(of_recipients.transaction);
  CHECK(of_recipients.invalid() == std::vector<int64_t>{1});
}

const std::string kInvalid = "[accounts.default]\ninvalid_recipients = [\"50/1d\"]\n";

TEST_CASE("engine: a message with recipients that Postfix accepted counts once where it never comes to its end") {
  struct Case {
    const char* label;
    std::string hook;  // where Postfix asks beside RCPT
    int accepted, refused;
    std::string more = "";
  };
  const std::vector<Case> cases{
      {"RSET after a mistyped recipient among many", "DATA", 60, 1},
      {"lost within DATA, where Postfix asks at its end alone", "END-OF-MESSAGE", 60, 0},
      {"an internal one was accepted before", "DATA", 60, 1,
       "[traffic]\ninternal_domains = [\"in.example\"]\n"},
  };
  for (const Case& c : cases) {
    CAPTURE(c.label);
    EngineRig rig(kInvalid + c.more);
    PostfixConnection connection(rig);
    connection.data("1", kQueueId, c.hook);
    for (int i = 0; i < c.accepted; ++i) {
      connection.rcpt(std::to_string(i) + "@x.example", "2", i == 0 && c.more.empty() ? "" : kQueueId);
    }
    for (int i = 0; i < c.refused; ++i) connection.rcpt("nobody" + std::to_string(i) + "@x.example", "2", kQueueId);
    connection.rcpt("a@x.example", "3");
    CHECK(connection.invalid() == std::vector<int64_t>{1});
  }
}

TEST_CASE("engine: a message with recipients that Postfix refused for certain counts with all of them") {
  EngineRig rig(kInvalid);
  PostfixConnection connection(rig);
  connection.data("1");
  for (int i = 0; i < 30; ++i) connection.rcpt("nobody" + std::to_string(i) + "@x.example", "2");
  rig.engine.end(connection.transaction);
  CHECK(connection.invalid() == std::vector<int64_t>{30});
}

TEST_CASE("engine: a queue id that no message has says nothing of its recipients") {
  EngineRig rig(kInvalid);
  PostfixConnection connection(rig);
  connection.data("1", "");
  for (int i = 0; i < 30; ++i) connection.rcpt("user" + std::to_string(i) + "@x.example", "2");
  rig.engine.end(connection.transaction);
  CHECK(connection.invalid() == std::vector<int64_t>{1});
}

TEST_CASE("engine: an internal recipient that never comes to DATA is not invalid") {
  EngineRig rig(kInvalid + "[traffic]\ninternal_domains = [\"in.example\"]\n");
  PostfixConnection connection(rig);
  connection.data("1");
  connection.rcpt("nobody@in.example", "2");
  rig.engine.end(connection.transaction);
  CHECK(connection.invalid().empty());
}

TEST_CASE("engine: a message that comes to DATA is settled also where invalid recipients do not count any more") {
  EngineRig rig(kInvalid);
  PostfixConnection connection(rig);
  connection.data("1");
  connection.rcpt("a@x.example", "2");
  AccountSettings settings;
  REQUIRE(settings.set("invalid_recipients", "none").ok());
  rig.mirror.put_settings("joe@example.com", settings);
  connection.data("2");
  rig.engine.end(connection.transaction);
  CHECK(connection.invalid().empty());
}

TEST_CASE("engine: a message that never comes to DATA locks where it is one too many") {
  EngineRig rig(kInvalid);
  PostfixConnection connection(rig);
  connection.data("1");
  connection.rcpt("a@x.example", "2");
  rig.store.answer.sign = Limit{Meter::invalid_recipients, 50, std::chrono::days(1)};
  rig.store.answer.sign_used = 51;
  rig.engine.end(connection.transaction);
  REQUIRE(rig.store.locked.size() == 1);
  CHECK(rig.store.locked[0].account == "joe@example.com");
  CHECK(rig.store.locked[0].evidence == "invalid_recipients 51 in 1d, limit 50/1d");
}

TEST_CASE("engine: recipients that policyd refused itself are not invalid") {
  EngineRig rig("[accounts.default]\ninvalid_recipients = [\"50/1d\"]\n");
  PostfixConnection connection(rig);
  connection.data("1");
  rig.store.refuse({Meter::messages, 60, Milliseconds(60'000)}, std::nullopt);
  connection.rcpt("a@x.example", "2");
  rig.store.answer = {};
  connection.rcpt("b@x.example", "2");
  rig.engine.end(connection.transaction);
  CHECK(connection.invalid() == std::vector<int64_t>{1});
}

// An engine that looks recipients' domains up: of nowhere.example there is nothing.
struct LookingUp {
  explicit LookingUp(const std::string& more = "")
      : rig("[checks.recipient_domain]\n" + more + (more.find("accounts") == std::string::npos ? kInvalid : "")),
        connection(rig) {
    rig.resolver.add("x.example MX 10 mail.stranger.example\n");
  }
  // Postfix says how many it accepted.
  void data(std::string instance, int accepted, std::string state = "DATA") {
    connection.ask(outgoing_lines({{"protocol_state", std::move(state)}, {"recipient", ""}, {"queue_id", kQueueId},
                                   {"instance", std::move(instance)},
                                   {"recipient_count", std::to_string(accepted)}}));
  }
  void rcpt(const std::string& recipient, const std::string& instance) {
    connection.rcpt(recipient, instance, kQueueId);
  }
  [[nodiscard]] std::vector<int64_t> invalid() const { return connection.invalid(); }

  EngineRig rig;
  PostfixConnection connection;
};

TEST_CASE("engine: recipients that do not exist count at the end of their message, beside those that Postfix refused") {
  struct Case {
    const char* label;
    int existing, nonexistent, accepted;
    std::vector<int64_t> counted;  // beside what the store finds to be refused
  };
  const std::vector<Case> cases{
      {"Postfix accepted them", 1, 2, 3, {2}},
      {"Postfix refused just as many", 1, 2, 1, {}},
      {"Postfix refused one", 1, 2, 2, {1}},
      {"Postfix refused more", 3, 1, 1, {}},
      {"all exist", 3, 0, 3, {}},
      {"how many Postfix accepted is not known", 1, 2, 0, {2}},
  };
  for (const Case& c : cases) {
    CAPTURE(c.label);
    LookingUp mail;
    for (int i = 0; i < c.existing; ++i) mail.rcpt(std::to_string(i) + "@x.example", "1");
    for (int twice = 0; twice < 2; ++twice) {
      for (int i = 0; i < c.nonexistent; ++i) mail.rcpt(std::to_string(i) + "@nowhere.example", "1");
    }
    CHECK(mail.invalid().empty());
    mail.data("1", c.accepted);
    mail.data("1", c.accepted, "END-OF-MESSAGE");
    CHECK(mail.invalid() == c.counted);
    mail.rig.engine.end(mail.connection.transaction);
    CHECK(mail.invalid() == c.counted);
  }
}

TEST_CASE("engine: of a message that is refused at its end nothing is settled, and all that do not exist count") {
  LookingUp mail;
  for (const char* to : {"a@nowhere.example", "b@nowhere.example", "a@x.example"}) mail.rcpt(to, "1");
  Lock lock;
  lock.account = "joe@example.com";
  mail.rig.mirror.put_lock(std::move(lock));
  mail.data("1", 2);
  CHECK(mail.rig.store.asked.back().kind == Charge::Kind::give_back);
  CHECK(mail.invalid() == std::vector<int64_t>{2});
}

TEST_CASE("engine: recipients that do not exist count once where their message never comes to its end") {
  LookingUp mail;
  for (const char* to : {"a@nowhere.example", "b@nowhere.example", "a@x.example"}) mail.rcpt(to, "1");
  mail.rcpt("a@x.example", "2");
  CHECK(mail.invalid() == std::vector<int64_t>{2});  // whether Postfix asks at DATA or not
  mail.data("2", 1);
  for (const char* to : {"a@nowhere.example", "b@nowhere.example", "a@x.example"}) mail.rcpt(to, "3");
  mail.rig.engine.end(mail.connection.transaction);
  CHECK(mail.invalid() == std::vector<int64_t>{2, 2});
}

TEST_CASE("engine: a recipient that does not exist counts at once where policyd refuses it, once for each message") {
  LookingUp mail("block = true\n");
  for (const char* instance : {"1", "1", "2"}) mail.rcpt("a@nowhere.example", instance);
  mail.data("2", 0);
  mail.rig.engine.end(mail.connection.transaction);
  CHECK(mail.invalid() == std::vector<int64_t>{1, 1});
}

TEST_CASE("engine: a recipient that does not exist is not counted where a limit puts it off, or by a dry run") {
  LookingUp limited;
  limited.rig.store.refuse({Meter::messages, 60, Milliseconds(60'000)}, Milliseconds(1000));
  for (const char* instance : {"1", "2", "3"}) limited.rcpt("a@nowhere.example", instance);
  LookingUp dry("dry_run = true\n");
  dry.rcpt("a@nowhere.example", "1");
  dry.data("1", 1);
  for (LookingUp* mail : {&limited, &dry}) {
    mail->rig.engine.end(mail->connection.transaction);
    CHECK(mail->invalid().empty());
  }
}

TEST_CASE("engine: the signs of a decision are asked for with its charge, and waited for once") {
  struct Case {
    const char* label;
    std::string toml;
    std::string lines;
    std::vector<Charge::Kind> asked;
  };
  using enum Charge::Kind;
  const std::string spam = "[score.outgoing]\nreject = 5\n[checks.ehlo]\noutgoing = 5\n[checks.recipient_domain]\n"
                           "[accounts.default]\ninvalid_recipients = [\"50/1d\"]\nspam = [\"3/1h\"]\n";
  const std::string lines = outgoing_lines({{"helo_name", "nodot"}, {"recipient", "a@nowhere.example"}});
  const std::vector<Case> cases{
      {"let through", spam + "block_outgoing_spam = false\n", lines, {sign, recipient}},
      {"refused", spam, lines, {sign, sign}},
  };
  for (const Case& c : cases) {
    CAPTURE(c.label);
    EngineRig rig(c.toml);
    rig.store.gate.close();
    rig.store.answer.sign = Limit{Meter::spam, 3, Milliseconds(3'600'000)};
    const test::Asking asking(rig.engine, c.lines);
    rig.loop.turn_until([&rig, &c] { return rig.store.asked.size() >= c.asked.size(); });
    CHECK_FALSE(asking.done());
    std::vector<Charge::Kind> asked;
    for (const auto& one : rig.store.asked) asked.push_back(one.kind);
    CHECK(asked == c.asked);
    rig.store.gate.open();
    rig.loop.turn_until([&asking] { return asking.done(); });
    CHECK(rig.store.asked.size() == c.asked.size());
    CHECK(asking.verdict().charge.sign.has_value());
  }
}

}  // namespace
}  // namespace policyd
