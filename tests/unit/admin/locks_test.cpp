// The admin API and locks: locked, listed, shown, lifted; what makes no sense is refused.
#include <doctest/doctest.h>

#include "policyd/admin/resources.h"
#include "shared/charged_name.h"
#include "shared/displayable.h"
#include "shared/percent_encoding.h"
#include "tests/support/api_rig.h"
#include "tests/support/captured_log.h"
#include "tests/support/fake_store.h"
#include "tests/support/lock_requests.h"

using namespace policyd;
using Reply = test::ApiReply;
using Rig = test::ApiRig;

namespace {

const std::string kLock = "/v1/accounts/Joe@example.com/lock";
const std::string kUnlock = "/v1/accounts/Joe@example.com/unlock";

}  // namespace

TEST_CASE("api: an account is locked for a while, shown and listed, and unlocked") {
  Rig rig;
  rig.send("joe@example.com", 1000);
  const Reply locked = rig.ask("PUT", kLock, R"({"reason": "phished", "for": "1h", "by": "ann"})");
  CHECK(locked.status == 201);
  const Json want = {{"account", "joe@example.com"},     {"reason", "phished"},
                     {"since", "2026-11-21T10:00:00Z"},  {"until", "2026-11-21T11:00:00Z"},
                     {"by", "ann"},                      {"node", "mx1"},
                     {"unlocks", 0}};
  CHECK(locked.json == want);
  CHECK(rig.ask("GET", "/v1/locks").json["locks"] == Json::array({want}));
  CHECK(rig.ask("GET", "/v1/status").json["locks"] == 1);
  const Json shown = rig.ask("GET", "/v1/accounts/joe@example.com").json;
  CHECK(shown["lock"] == want);
  REQUIRE(shown["lock_history"].size() == 1);
  CHECK(shown["lock_history"][0]["event"] == "locked");
  CHECK(shown["lock_history"][0]["at"] == "2026-11-21T10:00:00Z");
  CHECK(shown["lock_history"][0]["who"] == "ann");
  CHECK(shown["limits"][0]["used"] == 1);

  const Reply unlocked = rig.ask("POST", kUnlock, R"({"by": "bob"})");
  CHECK(unlocked.status == 200);
  CHECK(unlocked.json == Json({{"account", "joe@example.com"}, {"unlocked", want}}));
  const Json after = rig.ask("GET", "/v1/accounts/joe@example.com").json;
  CHECK(after["lock"].is_null());
  CHECK(after["lock_history"][0]["event"] == "lifted");
  CHECK(after["lock_history"][0]["who"] == "bob");
  CHECK(after["limits"][0]["used"] == 1);  // who was locked gets no fresh quota
  CHECK(rig.error("POST", kUnlock, "{}") == "404 the account joe@example.com is not locked");
}

TEST_CASE("api: an account that is locked is locked anew only where that is said") {
  Rig rig;
  rig.ask("PUT", kLock, R"({"reason": "phished"})");
  CHECK(rig.error("PUT", kLock, R"({"reason": "spam"})") ==
        "409 the account joe@example.com is locked already: phished");
  const Reply replaced = rig.ask("PUT", kLock, R"({"reason": "spam", "replace": true})");
  CHECK(replaced.status == 201);
  CHECK(replaced.json["reason"] == "spam");
  CHECK(replaced.json["until"].is_null());
}

TEST_CASE("api: what cannot be a lock is refused, and the key named") {
  Rig rig;
  const std::string control = R"({"reason": "a\nb"})";
  const std::pair<std::string, std::string> cases[] = {
      {"{}", "400 reason: expected a text, e.g. {\"reason\": \"phished\"}"},
      {R"({"reason": " "})", "400 reason: expected a text, e.g. {\"reason\": \"phished\"}"},
      {R"({"reason": 5})", "400 reason: expected a text"},
      {control, "400 reason: \"a\\x0ab\" holds a control character"},
      {"{\"reason\": \"" + std::string(1001, 'x') + "\"}", "400 reason: the text is longer than 1000 octets"},
      {R"({"reason": "x", "for": "0s"})", "400 for: \"0s\" is no time at all; expected e.g. 1h"},
      {R"({"reason": "x", "for": 5})", "400 for: expected a text"},
      {R"({"reason": "x", "replace": "yes"})", "400 replace: expected true or false"},
      {R"({"reason": "x", "until": "2026"})",
       "400 \"until\" is not a part of a lock; expected reason, for, by or replace"},
  };
  for (const auto& [body, want] : cases) {
    INFO(body);
    CHECK(rig.error("PUT", kLock, body) == want);
  }
  CHECK(rig.ask("GET", "/v1/locks").json["locks"].empty());
  CHECK(rig.error("PUT", "/v1/accounts/joe@/lock", R"({"reason": "x"})") ==
        "400 \"joe@\" has no domain after the '@'");
}

TEST_CASE("api: what no mail is charged to is not locked, and a login that looks like a domain is told of") {
  Rig rig;
  const std::string lock = R"({"reason": "x"})";
  const std::string charged = " cannot be locked: under traffic.account = \"login\" mail is charged to a login, or "
                              "without one the client's address (of IPv6 its /64)";
  CHECK(rig.error("PUT", "/v1/accounts/default/lock", lock) == "400 \"default\"" + charged);
  CHECK(rig.error("PUT", "/v1/accounts/192.0.2.0%2F24/lock", lock) == "400 \"192.0.2.0/24\"" + charged);
  CHECK(rig.ask("PUT", "/v1/accounts/example.com/lock", lock).json["note"] ==
        "that is a login; the logins of a domain example.com are locked one by one");
  for (const char* account : {"joe", "192.0.2.7", "joe@example.com", "joe.%20"}) {
    CHECK_FALSE(rig.ask("PUT", "/v1/accounts/" + std::string(account) + "/lock", lock).json.contains("note"));
  }
  Rig domains("[traffic]\naccount = \"domain\"\n");
  CHECK_FALSE(domains.ask("PUT", "/v1/accounts/example.com/lock", lock).json.contains("note"));
  CHECK(domains.ask("PUT", kLock, lock).status == 201);
}

TEST_CASE("api: an account of any octets and any length is shown, locked, unlocked and reset") {
  Rig rig;
  const std::string odd[] = {"a\tb", "trail ", std::string(4000, 'x') + "@y.example"};
  for (const std::string& account : odd) {
    const std::string path = "/v1/accounts/" + percent_encode(account), known = charged_name(account);
    CAPTURE(path);
    rig.send(known, 10);
    CHECK(rig.ask("GET", path).json["account"] == known);
    CHECK(rig.ask("PUT", path + "/lock", R"({"reason": "x"})").status == 201);
    CHECK(rig.ask("GET", path).json["lock"]["reason"] == "x");
    CHECK(rig.error("PUT", path + "/lock", R"({"reason": "x"})") ==
          "409 the account " + displayable_name(known) + " is locked already: x");
    CHECK(rig.ask("POST", path + "/unlock", "{}").json["account"] == known);
    CHECK(rig.ask("POST", path + "/reset").json["account"] == known);
  }
  CHECK(rig.error("POST", "/v1/accounts/trail%20/unlock", "{}") == "404 the account \"trail \" is not locked");
  CHECK(rig.error("POST", "/v1/accounts/trail%20/reset") == "404 nothing is counted for the account \"trail \"");
}

TEST_CASE("api: a reload while a lock is made changes nothing of what is said of it") {
  Rig rig("[traffic]\naccount = \"domain\"\n");
  test::FakeStore slow;
  slow.gate.close();
  Warden warden(rig.loop, slow, rig.mirror, nullptr, "mx1");
  const AdminContext context{rig.engine, rig.store, rig.mirror, rig.clock, rig.resolver,
                             rig.context.started, "mx1", rig.context.listeners, rig.context.dns, rig.reporter, warden,
                             rig.journal};
  const ApiRequest request{{"example.com"}, {}, {{"reason", "phished"}}, {}};
  const auto locking = lock_account(context, request);
  locking.start();
  REQUIRE(slow.gate.waiting() == 1);
  for (int times = 0; times < 3; ++times) rig.engine.reconfigure(test::read_api_config(""));
  slow.gate.open();
  REQUIRE(locking.done());
  const ApiAnswer answer = locking.result();
  CHECK(answer.status == 201);
  CHECK_FALSE(answer.body().contains("note"));
}

TEST_CASE("api: a check shows the lock") {
  Rig rig;
  rig.ask("PUT", kLock, R"({"reason": "phished"})");
  const Json verdict = rig.ask("POST", "/v1/check",
                               "request=smtpd_access_policy\nprotocol_state=RCPT\nsasl_username=joe@example.com\n"
                               "client_address=192.0.2.1\nsender=joe@example.com\nrecipient=bob@example.net\n")
                           .json;
  CHECK(verdict["cause"] == "lock");
  CHECK(verdict["lock"]["reason"] == "phished");
}

TEST_CASE("api: who locked and who unlocked is logged") {
  Rig rig;
  const test::CapturedLog log;
  rig.ask("PUT", kLock, R"({"reason": "phished", "by": "ann"})");
  rig.ask("POST", kUnlock, R"({"by": "bob"})");
  const auto& lines = log.lines();
  const auto has = [&lines](std::string_view line) {
    return std::find(lines.begin(), lines.end(), line) != lines.end();
  };
  CHECK(has(R"(info: admin: lock="joe@example.com" by="ann" reason="phished")"));
  CHECK(has(R"(info: admin: lock="joe@example.com" lifted by="bob")"));
}
