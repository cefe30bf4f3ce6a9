// The journal through the admin API: by id, by what is asked for, page by page.
#include <doctest/doctest.h>

#include "policyd/journal/search.h"
#include "shared/percent_encoding.h"
#include "tests/support/api_rig.h"
#include "tests/support/make_request.h"
#include "tests/support/request_lines.h"

namespace policyd {
namespace {

using test::ApiRig;
using test::Attributes;
using test::request_lines;

struct Rig : ApiRig {
  explicit Rig(std::string_view more = "") : ApiRig(more) {}

  // A refusal; its id.
  std::string refuse(const Attributes& changes = {}, Action action = Action::reject, const std::string& account = "",
                     const char* check = nullptr) {
    const auto request = make_request(request_lines(changes));
    Verdict verdict;
    verdict.action = action;
    verdict.text = "5.7.1 Refused";
    verdict.cause = Cause::score;
    verdict.account = account;
    if (check) {
      const CheckSpec& spec = check_named(check).spec;
      verdict.findings.push_back({&spec, &spec.outcomes[0], 10, true, "detail"});
    }
    journal.record(*request, verdict);
    return verdict.id;
  }
  std::vector<std::string> ids(const std::string& query) {
    const auto reply = ask("GET", "/v1/journal?" + query);
    CHECK_MESSAGE(reply.status == 200, reply.json.dump());
    std::vector<std::string> found;
    for (const Json& entry : reply.json["entries"]) found.push_back(entry["id"]);
    return found;
  }
};
using Ids = std::vector<std::string>;

TEST_CASE("journal API: an entry by its id, however it is written") {
  Rig rig;
  const std::string id = rig.refuse();
  std::string typed = to_lower(id);
  std::erase(typed, '-');
  for (const std::string& written : {id, typed}) {
    const auto reply = rig.ask("GET", "/v1/journal/" + written);
    CHECK(reply.status == 200);
    CHECK(reply.json["id"] == id);
    CHECK(reply.json.begin().key() == "id");  // in the order in which it was written
    CHECK(reply.json["request"]["sender"] == "ann@stranger.example");
  }
  CHECK(rig.error("GET", "/v1/journal/joe") == "400 \"joe\" is not an id, such as 7K2M-9QXW-1T5P");
  const std::string other = JournalId(test::FakeClock::kStart, 7).to_string();
  if (other != id) {
    CHECK(rig.error("GET", "/v1/journal/" + other) ==
          "404 there is no entry " + other +
              " of 2026-11-21T10:00:00Z in the journal; it may be too old, or not written yet");
  }
}

TEST_CASE("journal API: an entry is found also where it was written long after, or clocks differ") {
  Rig rig;
  for (const auto late : {Milliseconds(std::chrono::seconds(-30)), Milliseconds(std::chrono::minutes(-90)),
                          Milliseconds(std::chrono::seconds(3)), Milliseconds(std::chrono::minutes(90)),
                          Milliseconds(std::chrono::days(2))}) {
    Rig fresh;
    const JournalId id(fresh.clock.wall() - late, 5);
    const std::string text = R"({"id":")" + id.to_string() + R"(","action":"REJECT"})";
    const auto added = fresh.loop.run(fresh.store.add_journal({{{id, "mx2", text}}, std::chrono::days(30), 1000}));
    REQUIRE(added.ok());
    CHECK(fresh.ask("GET", "/v1/journal/" + id.to_string()).json["id"] == id.to_string());
  }
}

TEST_CASE("journal API: what is asked for") {
  Rig rig;
  const std::string ann = rig.refuse({{"sender", "Ann@Stranger.example"}}, Action::reject, "", "ehlo");
  const std::string joe =
      rig.refuse({{"sender", "joe@example.com"}, {"client_address", "198.51.100.7"}, {"instance", "2"}}, Action::defer,
                 "joe@example.com");
  const std::string null =
      rig.refuse({{"sender", ""}, {"recipient", "Eve@example.net"}, {"client_address", "2001:db8::7"}}, Action::hold,
                 "", "spf");
  struct Case {
    std::string query;
    Ids ids;
  };
  for (const Case& c : std::vector<Case>{
           {"", {ann, joe, null}},
           {"order=newest", {null, joe, ann}},
           {"order=newest&limit=1", {null}},
           {"limit=2", {ann, joe}},
           {"action=reject", {ann}},
           {"action=DEFER,hold", {joe, null}},
           {"account=JOE@example.com", {joe}},
           {"account=jo", {}},
           {"client=192.0.2.0/24", {ann}},
           {"client=198.51.100.7", {joe}},
           {"client=2001:db8::/32", {null}},
           {"sender=ann@stranger.EXAMPLE", {ann}},
           {"sender=stranger.example", {ann}},
           {"sender=@stranger.example", {ann}},
           {"sender=example", {}},
           {"sender=%3C%3E", {null}},
           {"sender=", {null}},
           {"recipient=eve@example.net", {null}},
           {"check=ehlo", {ann}},
           {"check=spf.fail", {null}},
           {"check=spf.softfail", {}},
           {"action=hold&check=ehlo", {}},
           {"since=1h", {ann, joe, null}},
           {"until=1h", {}},
           {"since=2026-11-21T10:00:01Z", {}},
           {"held=yes", {null}},
       }) {
    INFO(c.query);
    CHECK(rig.ids(c.query) == c.ids);
  }
}

TEST_CASE("journal API: an account is what was charged, or the login whose mail was charged to it") {
  for (const char* redact : {"", "[journal]\nredact = true\nredact_key = \"0123456789abcdef\"\n"}) {
    CAPTURE(redact);
    Rig rig(redact);
    const auto refuse = [&rig](const char* instance, const char* login, const char* charged) {
      return rig.refuse({{"instance", instance}, {"sasl_username", login}}, Action::reject, charged);
    };
    const std::string joe = refuse("1", "Joe@example.com", "example.com");
    const std::string ann = refuse("2", "ann@example.com", "192.0.2.0/24");
    const std::string none = refuse("3", "", ""), client = refuse("4", "", "198.51.100.7");
    CHECK(rig.ids("account=joe@EXAMPLE.com") == Ids{joe});
    CHECK(rig.ids("account=ann@example.com") == Ids{ann});
    CHECK(rig.ids("account=bob@example.com").empty());
    CHECK(rig.ids("account=") == Ids{none});
  }
}

TEST_CASE("journal API: what makes no sense is told") {
  Rig rig;
  struct Case {
    std::string query, error;
  };
  for (const Case& c : std::vector<Case>{
           {"since=x", "since: \"x\" is neither a time such as 2026-11-21T10:00:00Z nor a duration such as 90m or 7d"},
           {"until=", "until: \"\" is neither a time such as 2026-11-21T10:00:00Z nor a duration such as 90m or 7d"},
           {"action=dunno", "action: \"dunno\" is none of defer, hold, reject"},
           {"action=reject,", "action: \"\" is none of defer, hold, reject"},
           {"check=spf.x",
            "check: \"spf.x\" is neither a check nor an outcome of one, such as \"spf\" or \"spf.fail\""},
           {"order=up", "order: \"up\" is none of newest, oldest"},
           {"held=x", "held: \"x\" is none of yes, no"},
           {"after=x", "after: \"x\" is no place in the journal, such as 1795255200123-0"},
           {"limit=0", "limit: \"0\" is not a number from 1 to 10000"},
       }) {
    CHECK(rig.error("GET", "/v1/journal?" + c.query) == "400 " + c.error);
  }
}

TEST_CASE("journal API: page by page nothing is left out, and what comes later follows") {
  Rig rig;
  Ids all;
  for (int i = 0; i < 25; ++i) {
    all.push_back(rig.refuse({{"instance", std::to_string(i)}}, i % 5 == 0 ? Action::hold : Action::reject));
    rig.clock.advance(Milliseconds{i % 3});
  }
  for (const std::string order : {"oldest", "newest"}) {
    Ids found;
    std::string after;
    for (bool more = true; more;) {
      const std::string behind = after.empty() ? "" : "&after=" + after;
      const auto reply = rig.ask("GET", "/v1/journal?limit=4&order=" + order + behind);
      for (const Json& entry : reply.json["entries"]) found.push_back(entry["id"]);
      after = reply.json["after"];
      more = reply.json["more"];
    }
    if (order == "newest") std::reverse(found.begin(), found.end());
    CHECK(found == all);
  }
  const std::string after = rig.ask("GET", "/v1/journal?order=newest&limit=1&action=hold").json["first"];
  CHECK(rig.ids("after=" + after).empty());
  const std::string later = rig.refuse({{"instance", "later"}});
  CHECK(rig.ids("after=" + after) == Ids{later});
}

TEST_CASE("journal API: rows that are there twice are shown once, and what is no entry is left out") {
  Rig rig;
  const JournalId id(rig.clock.wall(), 5);
  const std::string text = R"({"id":")" + id.to_string() + R"(","action":"REJECT","findings":[],"request":{}})";
  const std::string deep(100'000, '[');
  std::vector<JournalRow> rows{{id, "mx1", text}, {id, "mx1", text}, {id, "mx2", text}};
  for (const std::string& odd : {std::string(), std::string("x"), std::string("[]"), std::string("{}"), deep,
                                 std::string(R"({"action":7,"request":[],"findings":{}})"),
                                 std::string(R"({"action":"REJECT","request":"x","findings":"y"})")}) {
    rows.push_back({JournalId(rig.clock.wall(), 6), "mx" + std::to_string(rows.size()), odd});
  }
  REQUIRE(rig.loop.run(rig.store.add_journal({rows, std::chrono::days(30), 1000})).ok());
  const auto found = rig.ids("check=ehlo");
  CHECK(found.empty());
  const auto reply = rig.ask("GET", "/v1/journal?account=&sender=");
  CHECK(reply.status == 200);
  CHECK(rig.ask("GET", "/v1/journal").json["entries"].size() == 3);
}

TEST_CASE("journal API: a long journal is looked through a piece at a time") {
  Rig rig;
  std::vector<JournalRow> rows;
  for (uint32_t i = 0; i < 12'000; ++i) {
    rows.push_back({JournalId(rig.clock.wall(), i), "mx1", R"({"action":"DEFER","request":{},"findings":[]})"});
  }
  REQUIRE(rig.loop.run(rig.store.add_journal({rows, std::chrono::days(30), 100'000})).ok());
  auto reply = rig.ask("GET", "/v1/journal?action=reject");
  CHECK(reply.json["entries"].empty());
  CHECK(reply.json["more"] == true);
  reply = rig.ask("GET", "/v1/journal?action=reject&after=" + reply.json["after"].get<std::string>());
  CHECK(reply.json["entries"].empty());
  CHECK(reply.json["more"] == false);
}

TEST_CASE("journal API: the account of a client without a login is found by any form of its address") {
  for (const char* redact : {"", "[journal]\nredact = true\nredact_key = \"0123456789abcdef\"\n"}) {
    Rig rig(redact);
    const std::string id = rig.refuse({{"client_address", "2001:db8::1"}}, Action::reject, "2001:db8::/64");
    for (const char* account : {"2001:db8::1", "2001:DB8:0::2", "2001:db8::/64"}) {
      INFO(account);
      CHECK(rig.ids("account=" + percent_encode(account)) == Ids{id});
    }
    CHECK(rig.ids("account=2001:db8:0:1::1").empty());
  }
  CHECK(Rig().error("GET", "/v1/journal?account=a%0A") == "400 account: \"a\\x0a\" holds a control character");
}

TEST_CASE("journal API: redacted entries are found by what they were") {
  Rig rig("[journal]\nredact = true\nredact_key = \"0123456789abcdef\"\n");
  const std::string id = rig.refuse({{"sender", "joe@example.com"}}, Action::defer, "joe@example.com");
  CHECK(rig.ask("GET", "/v1/journal/" + id).json.dump().find("joe") == std::string::npos);
  for (const char* query : {"account=joe@example.com", "sender=JOE@example.com", "sender=example.com",
                            "client=192.0.2.1", "recipient=bob@example.com"}) {
    INFO(query);
    CHECK(rig.ids(query) == Ids{id});
  }
  CHECK(rig.ids("sender=jo@example.com").empty());
  CHECK(rig.ids("client=192.0.2.2").empty());
  CHECK(rig.error("GET", "/v1/journal?client=192.0.2.0/24") ==
        "400 client: a network cannot be looked for where journal.redact hashes addresses; give one address");
}

TEST_CASE("journal API: what was held, with the queue id that came later") {
  Rig rig;
  const std::string id = rig.refuse({}, Action::hold);
  rig.refuse({{"instance", "2"}});
  CHECK_FALSE(rig.ask("GET", "/v1/journal/" + id).json["request"].contains("queue_id"));
  const auto request = make_request(request_lines({{"queue_id", "4XyZ"}}));
  rig.journal.note_queue_id(*request);
  CHECK(rig.ask("GET", "/v1/journal/" + id).json["request"]["queue_id"] == "4XyZ");
  const auto reply = rig.ask("GET", "/v1/journal?held=yes");
  REQUIRE(reply.json["entries"].size() == 2);
  CHECK(reply.json["entries"][0]["id"] == id);
  CHECK(reply.json["entries"][1]["queued"]["queue_id"] == "4XyZ");
  CHECK(rig.ids("").size() == 2);  // the line that tells a queue id is no entry
}

TEST_CASE("journal API: older than it is kept, nothing is shown; the status counts") {
  Rig rig("[journal]\nkeep = \"1h\"\n");
  rig.refuse();
  CHECK(rig.ids("").size() == 1);
  rig.clock.advance(std::chrono::minutes(61));
  CHECK(rig.ids("since=1d").empty());
  const Json status = rig.ask("GET", "/v1/status").json["journal"];
  CHECK(status == Json({{"enabled", true}, {"written", 1}, {"waiting", 0}, {"lost", 0}, {"trouble", ""}}));
}

}  // namespace
}  // namespace policyd
