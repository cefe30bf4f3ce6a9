// Mail of locked accounts: refused as a block refuses, at every state that matters; and signs that lock.
#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "policyd/engine.h"
#include "policyd/reply.h"
#include "shared/charged_name.h"
#include "tests/support/engine_rig.h"

namespace policyd {
namespace {

using test::action_of;
using test::EngineRig;
using test::outgoing_lines;
using test::request_lines;

const Limit kSign{Meter::recipients, 500, std::chrono::days(1)};

void lock(EngineRig& rig, std::string account, std::optional<WallTime> until = std::nullopt) {
  Lock made;
  made.account = std::move(account);
  made.reason = "phished";
  made.until = until;
  rig.mirror.put_lock(std::move(made));
}

std::string lines_at(const std::string& state) { return outgoing_lines({{"protocol_state", state}}); }

TEST_CASE("engine: a locked account is told what a blocked one is") {
  EngineRig rig("[blocks]\nreply = \"554 5.7.0 No\"\n");
  lock(rig, "joe@example.com");
  const Verdict verdict = rig.decide(outgoing_lines());
  CHECK(action_of(verdict) == "554 5.7.0 No");
  CHECK(verdict.cause == Cause::lock);
  CHECK(verdict.action == Action::reject);
  REQUIRE(verdict.lock != nullptr);
  CHECK(verdict.lock->reason == "phished");
  CHECK(rig.store.asked.empty());
  CHECK(rig.causes(Cause::lock) == 1);
  rig.block(BlockType::account, "joe@example.com");
  CHECK(rig.told(outgoing_lines()) == "554 5.7.0 No (block)");
}

TEST_CASE("engine: a locked account's mail can be deferred or held") {
  EngineRig deferring("[locks]\naction = \"defer\"\n");
  lock(deferring, "joe@example.com");
  CHECK(deferring.told(outgoing_lines()) == "DEFER 4.7.1 Mail refused by local policy (lock)");
  EngineRig holding("[locks]\naction = \"hold\"\n");
  lock(holding, "joe@example.com");
  CHECK(holding.told(outgoing_lines()) == "HOLD account locked (lock)");
}

TEST_CASE("engine: what was under way when the lock came is refused at DATA and at its end") {
  EngineRig rig;
  CHECK(rig.told(outgoing_lines()) == "DUNNO (none)");
  CHECK(rig.told(outgoing_lines()) == "DUNNO (earlier)");
  lock(rig, "joe@example.com");
  const size_t charged = rig.store.asked.size();
  for (const char* state : {"RCPT", "DATA", "END-OF-MESSAGE"}) {
    CHECK(rig.told(lines_at(state)) == "550 5.7.1 Mail refused by local policy (lock)");
  }
  // What the message was charged goes back.
  REQUIRE(rig.store.asked.size() == charged + 2);
  for (const size_t asked : {charged, charged + 1}) {
    CHECK(rig.store.asked[asked].kind == Charge::Kind::give_back);
    CHECK(rig.store.asked[asked].instance == rig.store.asked[0].instance);
  }
  for (const char* state : {"CONNECT", "EHLO", "MAIL"}) CHECK(rig.told(lines_at(state)) == "DUNNO (not_asked)");
}

TEST_CASE("engine: a locked account is told the same, whatever its limits say at the end of a message") {
  EngineRig rig;
  lock(rig, "joe@example.com");
  rig.store.refuse({Meter::messages, 1, std::chrono::hours(1)}, Milliseconds(5000));
  CHECK(rig.told(lines_at("DATA")) == "550 5.7.1 Mail refused by local policy (lock)");
}

TEST_CASE("engine: a lock is of one account's outgoing mail, and until its end") {
  EngineRig rig;
  lock(rig, "joe@example.com", rig.clock.wall() + Milliseconds(1000));
  CHECK(rig.told(request_lines({{"sender", "joe@example.com"}})) == "DUNNO (none)");
  CHECK(rig.told(request_lines({{"recipient", "joe@example.com"}})) == "DUNNO (none)");
  CHECK(rig.told(outgoing_lines({{"sasl_username", "ann@example.com"}})) == "DUNNO (none)");
  CHECK(rig.told(outgoing_lines({{"sasl_username", "Joe@Example.com"}})) ==
        "550 5.7.1 Mail refused by local policy (lock)");
  rig.clock.advance(Milliseconds(1000) + Mirror::kUntilEnded);
  CHECK(rig.told(outgoing_lines()) == "DUNNO (none)");
}

TEST_CASE("engine: a lock holds for whom mail is charged to, and for a login or client of its own") {
  struct Case {
    const char* charged;
    const char* locked;
    bool joe, ann, client;  // refused: two logins of example.com, a client of our networks
  };
  const std::vector<Case> cases{
      {"login", "joe@example.com", true, false, false}, {"login", "example.com", false, false, false},
      {"login", "127.0.0.9", false, false, true},       {"domain", "joe@example.com", true, false, false},
      {"domain", "example.com", true, true, false},     {"domain", "127.0.0.9", false, false, true},
      {"network", "joe@example.com", true, false, false}, {"network", "192.0.2.0/24", true, true, false},
      {"network", "127.0.0.9", false, false, true},     {"network", "127.0.0.0/24", false, false, true},
  };
  for (const Case& c : cases) {
    CAPTURE(c.charged);
    CAPTURE(c.locked);
    EngineRig rig("[traffic]\naccount = \"" + std::string(c.charged) + "\"\n");
    lock(rig, c.locked);
    const auto is_refused = [&rig](const std::string& lines) { return rig.decide(lines).cause == Cause::lock; };
    CHECK(is_refused(outgoing_lines({{"sasl_username", "Joe@example.com"}})) == c.joe);
    CHECK(is_refused(outgoing_lines({{"sasl_username", "ann@example.com"}})) == c.ann);
    CHECK(is_refused(request_lines({{"client_address", "127.0.0.9"}})) == c.client);
  }
}

TEST_CASE("engine: a login that is too long for a key can be locked by itself, whatever its mail is charged to") {
  const std::string login = std::string(2000, 'j') + "@example.com";
  for (const std::string charged : {"login", "domain", "network"}) {
    CAPTURE(charged);
    EngineRig rig("[traffic]\naccount = \"" + charged + "\"\n");
    lock(rig, charged_name(login));
    CHECK(rig.decide(outgoing_lines({{"sasl_username", login}})).cause == Cause::lock);
    CHECK(rig.decide(outgoing_lines({{"sasl_username", "j" + login}})).cause == Cause::none);
  }
}

TEST_CASE("engine: an explanation shows the lock and changes nothing") {
  EngineRig rig;
  lock(rig, "joe@example.com");
  const Verdict verdict = rig.explain(outgoing_lines());
  CHECK(verdict.cause == Cause::lock);
  REQUIRE(verdict.lock != nullptr);
  CHECK(rig.causes(Cause::lock) == 0);
}

TEST_CASE("engine: the log line names the lock's reason") {
  EngineRig rig;
  lock(rig, "joe@example.com");
  const auto request = make_request(outgoing_lines());
  std::string line;
  append_log_line(line, *request, rig.decide(outgoing_lines()));
  CHECK(line.find(" cause=lock ") != std::string::npos);
  CHECK(line.find(" lock=\"phished\" ") != std::string::npos);
}

TEST_CASE("engine: a sign in the answer to a charge locks the account, and the request goes its way") {
  EngineRig rig("[accounts.default]\nlock_time = \"5m\"\nmax_unlocks = 7\n");
  rig.store.answer.sign = kSign;
  rig.store.answer.sign_used = 501;
  rig.explain(outgoing_lines());
  CHECK(rig.store.locked.empty());
  CHECK(rig.told(outgoing_lines()) == "DUNNO (none)");
  REQUIRE(rig.store.locked.size() == 1);
  CHECK(rig.store.locked[0].account == "joe@example.com");
  CHECK(rig.store.locked[0].evidence == "recipients 501 in 1d, limit 500/1d");
  CHECK(rig.store.locked[0].lock_time == Milliseconds(std::chrono::minutes(5)));
  CHECK(rig.store.locked[0].max_unlocks == 7);
}

TEST_CASE("engine: a sign in a charge that did not pass locks too; without auto_lock none does") {
  EngineRig rig;
  rig.store.answer.sign = kSign;
  rig.store.refuse(kSign, std::nullopt);
  CHECK(rig.told(outgoing_lines()) == "DEFER 4.7.1 Sending limit reached (limit)");
  CHECK(rig.store.locked.size() == 1);
  EngineRig off("[accounts.default]\nauto_lock = false\n");
  off.store.answer.sign = kSign;
  CHECK(off.told(outgoing_lines()) == "DUNNO (none)");
  CHECK(off.store.locked.empty());
}

}  // namespace
}  // namespace policyd
