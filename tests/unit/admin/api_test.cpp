// The admin API from request to JSON, on an embedded store and a real engine; only the HTTP around
// it is missing.
#include "policyd/admin/api.h"

#include <doctest/doctest.h>

#include "policyd/checks/check.h"
#include "policyd/store/memory.h"
#include "tests/support/fake_clock.h"
#include "tests/support/fake_resolver.h"
#include "tests/support/run_task.h"

using namespace policyd;

namespace {

constexpr std::string_view kConfig = R"(
[accounts.default]
messages = ["60/1m", "500/1h"]
recipients = []
bytes = ["2GB/1d"]
[accounts."example.com"]
recipients = ["100/1h"]
)";

std::shared_ptr<const Config> read_config(std::string_view more) {
  auto parsed = parse_config(std::string(kConfig) + std::string(more), "test.toml", check_specs());
  REQUIRE(std::holds_alternative<Config>(parsed));
  return std::make_shared<const Config>(std::get<Config>(std::move(parsed)));
}

struct Reply {
  int status;
  Json json;
};

// All that the API stands on.
class Rig {
 public:
  explicit Rig(std::string_view more = "") : engine(read_config(more), {mirror, store, resolver, zones, clock, loop}) {
    REQUIRE(store.start().ok());
  }
  ~Rig() { loop.run(store.stop()); }

  Reply ask(std::string method, std::string target, std::string body = {}) {
    const HttpRequest request{std::move(method), std::move(target), std::move(body)};
    const HttpResponse response = serve(
        context, request,
        [this](std::function<Task<ApiAnswer>()> work) { return std::optional(loop.run(work())); });
    CHECK(response.body.ends_with("\n"));
    allow = response.allow;
    return {response.status, Json::parse(response.body)};
  }
  std::string error(std::string method, std::string target, std::string body = {}) {
    const Reply reply = ask(std::move(method), std::move(target), std::move(body));
    return std::to_string(reply.status) + " " + reply.json.value("error", "no error");
  }
  // A message of `account` passes, as the engine would charge it.
  void send(const std::string& account, int64_t bytes) {
    const auto policy = engine.policy(account);
    Charge charge;
    charge.account = account;
    charge.recipient = "bob@example.net";
    charge.bytes = bytes;
    charge.limits = &policy->limits;
    CHECK(loop.run(store.charge(charge)).passed);
  }

  test::TestLoop loop;
  test::FakeClock clock;
  Mirror mirror{clock};
  MemoryStore store{loop, clock, mirror, ""};
  test::FakeResolver resolver{
      "mail.example.org A 192.0.2.7\nexample.com A 192.0.2.7\n"
      "example.com TXT v=spf1 ip4:192.0.2.1 ?ip4:192.0.2.7 -all exp=e.example.com\ne.example.com TXT Not from %{i}"};
  Zones zones{resolver, clock};
  Engine engine;
  AdminContext context{engine, store, mirror, clock, resolver, test::FakeClock::kStart, "mx1", [] {
                         return ListenerStatistics{3, 1};
                       }};
  std::string allow;
};

const Json kJoe = {{"type", "email"},
                   {"target", "joe@example.com"},
                   {"direction", "out"},
                   {"description", "abnormal volume"},
                   {"reply", "Ask the postmaster"},
                   {"by", "ann"},
                   {"created", "2026-11-01T00:00:00Z"},
                   {"expires", "2026-12-01T00:00:00Z"}};

}  // namespace

TEST_CASE("api: a block is put as it is given, shown, listed and lifted") {
  Rig rig;
  CHECK(rig.ask("GET", "/v1/blocks").json == Json({{"blocks", Json::array()}}));
  Reply put = rig.ask("PUT", "/v1/blocks/email/Joe%40Example.com", kJoe.dump());
  CHECK(put.status == 201);
  CHECK(put.json == kJoe);
  CHECK(rig.ask("GET", "/v1/blocks/email/joe@example.com").json == kJoe);
  CHECK(rig.ask("GET", "/v1/blocks").json["blocks"] == Json::array({kJoe}));
  put = rig.ask("PUT", "/v1/blocks/email/joe@example.com", kJoe.dump());
  CHECK(put.status == 200);  // again, with the same result
  CHECK(rig.ask("GET", "/v1/blocks").json["blocks"] == Json::array({kJoe}));
  CHECK(rig.ask("DELETE", "/v1/blocks/email/joe@example.com").json ==
        Json({{"removed", "email:joe@example.com"}}));
  CHECK(rig.error("DELETE", "/v1/blocks/email/joe@example.com") ==
        "404 there is no block email:joe@example.com");
  CHECK(rig.error("GET", "/v1/blocks/email/joe@example.com") ==
        "404 there is no block email:joe@example.com");
  CHECK(rig.error("PATCH", "/v1/blocks/email/joe@example.com", "{}") ==
        "404 there is no block email:joe@example.com");
}

TEST_CASE("api: a new block has its type inferred, is made now, and does not replace another") {
  Rig rig;
  const Reply made =
      rig.ask("POST", "/v1/blocks", R"({"target": "192.0.2.0/24", "for": "2d", "by": "ann"})");
  CHECK(made.status == 201);
  CHECK(made.json == Json({{"type", "client"},
                           {"target", "192.0.2.0/24"},
                           {"direction", "both"},
                           {"by", "ann"},
                           {"created", "2026-11-21T10:00:00Z"},
                           {"expires", "2026-11-23T10:00:00Z"}}));
  CHECK(rig.error("POST", "/v1/blocks", R"({"target": "192.0.2.0/24"})") ==
        "409 there is already a block client:192.0.2.0/24");
  CHECK(rig.ask("GET", "/v1/blocks/client/192.0.2.0%2F24").json == made.json);
}

TEST_CASE("api: a change of a block leaves what it does not name") {
  Rig rig;
  rig.ask("PUT", "/v1/blocks/email/joe@example.com", kJoe.dump());
  Json wanted = kJoe;
  wanted["direction"] = "both";
  wanted.erase("reply");
  wanted.erase("expires");
  const Reply changed = rig.ask("PATCH", "/v1/blocks/email/joe@example.com",
                                R"({"direction": "both", "reply": "", "expires": null})");
  CHECK(changed.status == 200);
  CHECK(changed.json == wanted);
}

TEST_CASE("api: a block that cannot be meant is refused with the key and the reason") {
  Rig rig;
  struct Case {
    std::string_view body, error;
  };
  const Case cases[] = {
      {"[]", "400 the body is not a JSON object"},
      {"{", "400 the body is not a JSON object"},
      {"", "400 the body is not a JSON object"},
      {R"({"directoin": "in"})",
       "400 \"directoin\" is not a part of a block; expected direction, description, reply, by, "
       "created, expires or for"},
      {R"({"direction": "up"})", "400 direction: \"up\" is none of in, out, both"},
      {R"({"direction": null})", "400 direction: expected a text"},
      {R"({"description": 1})", "400 description: expected a text"},
      {R"({"description": "a\nb"})", "400 description: \"a\\x0ab\" holds a control character"},
      {R"({"expires": "tomorrow"})",
       "400 expires: \"tomorrow\" is not a time; expected e.g. 2026-11-21T10:00:00Z"},
      {R"({"expires": "2026-11-21T10:00:00Z"})",
       "400 expires: \"2026-11-21T10:00:00Z\" has passed; the block would end before it begins"},
      {R"({"expires": "2046-11-21T10:00:00Z"})",
       "400 expires: \"2046-11-21T10:00:00Z\" is more than 10 years ahead"},
      {R"({"for": "0s"})", "400 for: \"0s\" is no time at all; expected e.g. 2d"},
      {R"({"for": "1d", "expires": null})", "400 for and expires say the same; give one of them"},
      {R"({"target": "x@y.example"})",
       "400 the body is about email:x@y.example, the path about email:a@b.example"},
      {R"({"type": 1, "target": "a@b.example"})",
       "400 type: 1 is none of email, domain, ehlo, client, account, recipient"},
  };
  for (const Case& one : cases) {
    CAPTURE(one.body);
    CHECK(rig.error("PUT", "/v1/blocks/email/a@b.example", std::string(one.body)) == one.error);
  }
  CHECK(rig.error("PUT", "/v1/blocks/email/a@b.example", R"({"reply": "250 ok"})")
            .starts_with("400 reply: \"250 ok\""));
  CHECK(rig.error("GET", "/v1/blocks/mail/a@b.example") ==
        "400 \"mail\" is not a type of block; expected email, domain, ehlo, client, account or "
        "recipient");
  CHECK(rig.error("POST", "/v1/blocks", "{}") ==
        "400 target: expected a text, e.g. \"joe@example.com\"");
  CHECK(rig.mirror.block_count() == 0);
}

TEST_CASE(
    "api: an account's usage stands against every limit in force, its settings with their places") {
  Rig rig;
  rig.send("joe@example.com", 1000);
  rig.send("joe@example.com", 500);
  rig.ask("PUT", "/v1/accounts/Joe@example.com/settings/messages", R"({"value": "120/1m"})");
  rig.ask("PUT", "/v1/blocks/account/joe@example.com", "{}");
  const Reply reply = rig.ask("GET", "/v1/accounts/JOE@example.com");
  CHECK(reply.status == 200);
  CHECK(reply.json["account"] == "joe@example.com");
  CHECK(reply.json["on_limit"] == "defer");
  CHECK(reply.json["settings"]["messages"] ==
        Json({{"value", "120/1m"}, {"from", "joe@example.com"}, {"source", "store"}}));
  CHECK(reply.json["settings"]["recipients"] ==
        Json({{"value", "100/1h"}, {"from", "example.com"}, {"source", "file"}}));
  CHECK(reply.json["settings"]["bytes"] ==
        Json({{"value", "2GB/1d"}, {"from", "default"}, {"source", "file"}}));
  REQUIRE(reply.json["limits"].size() == 3);
  CHECK(reply.json["limits"][0] == Json({{"meter", "messages"},
                                         {"limit", "120/1m"},
                                         {"maximum", 120},
                                         {"window", "1m"},
                                         {"used", 2},
                                         {"left", 118}}));
  CHECK(reply.json["limits"][2]["used"] == 1500);
  CHECK(reply.json["blocks"][0]["type"] == "account");
}

TEST_CASE("api: accounts are listed nearest to a limit first, at most as many as asked for") {
  Rig rig;
  rig.send("ann@example.com", 10);
  rig.send("joe@example.com", 10);
  rig.send("joe@example.com", 10);
  const Reply reply = rig.ask("GET", "/v1/accounts");
  REQUIRE(reply.json["accounts"].size() == 2);
  CHECK(reply.json["accounts"][0]["account"] == "joe@example.com");
  CHECK(reply.json["accounts"][1]["account"] == "ann@example.com");
  CHECK(reply.json["more"] == false);
  const Reply one = rig.ask("GET", "/v1/accounts?limit=1");
  CHECK(one.json["accounts"].size() == 1);
  CHECK(one.json["more"] == true);
  for (const char* bad : {"0", "-1", "x", "10001", "", "1x"}) {
    CHECK(rig.error("GET", std::string("/v1/accounts?limit=") + bad) ==
          "400 limit: \"" + std::string(bad) + "\" is not a number from 1 to 10000");
  }
}

TEST_CASE("api: settings are overridden, lifted and refused; what was counted is forgotten") {
  Rig rig;
  const std::string messages = "/v1/accounts/default/settings/messages";
  CHECK(rig.ask("PUT", messages, R"({"value": " 9/1h ,60/1m"})").json ==
        Json({{"account", "default"}, {"key", "messages"}, {"value", "9/1h, 60/1m"}}));
  CHECK(rig.engine.policy("x@y.example")->settings.messages->size() == 2);
  CHECK(rig.ask("DELETE", messages).status == 200);
  CHECK(rig.error("DELETE", messages) == "404 default has no override of messages");
  CHECK(rig.error("PUT", messages, R"({"value": "many"})") ==
        "400 messages: \"many\" is not a limit: the window is missing; expected N/WINDOW, e.g. "
        "60/1m");
  CHECK(rig.error("PUT", messages, R"({"value": 60})") ==
        "400 value: expected a text, e.g. {\"value\": \"60/1m\"}");
  CHECK(rig.error("DELETE", "/v1/accounts/default/settings/nonsense")
            .starts_with("400 \"nonsense\" is not an account setting"));
  CHECK(rig.error("POST", "/v1/accounts/joe@example.com/reset") ==
        "404 nothing is counted for the account joe@example.com");
  rig.send("joe@example.com", 10);
  CHECK(rig.ask("POST", "/v1/accounts/joe@example.com/reset").status == 200);
  CHECK(rig.ask("GET", "/v1/accounts/joe@example.com").json["limits"][0]["used"] == 0);
}

TEST_CASE(
    "api: an account that is a client address is known by the form in which mail is charged to "
    "it") {
  Rig rig;
  CHECK(rig.ask("GET", "/v1/accounts/2001%3aDB8::1").json["account"] == "2001:db8::/64");
  CHECK(rig.ask("GET", "/v1/accounts/192.0.2.1").json["account"] == "192.0.2.1");
  CHECK(rig.error("GET", "/v1/accounts/a%0Ab") == "400 \"a\\x0ab\" holds a control character");
}

TEST_CASE("api: a check says what would be answered and why, and changes nothing") {
  Rig rig;
  const std::string request =
      "request=smtpd_access_policy\nprotocol_state=RCPT\nclient_address=192.0.2.7\nclient_name="
      "unknown\n"
      "reverse_client_name=unknown\nhelo_name=mail.example.org\nsender=joe@example.com\nrecipient="
      "bob@example.net\n";
  const Reply incoming = rig.ask("POST", "/v1/check", request);
  CHECK(incoming.status == 200);
  CHECK(incoming.json["action"] == "DUNNO");
  CHECK(incoming.json["text"] == "");
  CHECK(incoming.json["direction"] == "incoming");
  CHECK(incoming.json["score"] == 10);
  REQUIRE(incoming.json["findings"].size() == 1);
  CHECK(incoming.json["findings"][0]["check"] == "reverse_dns");
  CHECK(incoming.json["findings"][0]["score"] == 10);
  CHECK(incoming.json["account"] == nullptr);

  const Reply outgoing =
      rig.ask("POST", "/v1/check", request + "sasl_username=Joe@example.com\ninstance=i1\n\n");
  CHECK(outgoing.json["direction"] == "outgoing");
  CHECK(outgoing.json["account"] == "joe@example.com");
  CHECK(rig.ask("GET", "/v1/accounts/joe@example.com").json["limits"][0]["used"] == 0);
  CHECK(rig.engine.statistics().requests == 0);

  rig.ask("PUT", "/v1/blocks/email/joe@example.com", kJoe.dump());
  const Reply blocked = rig.ask("POST", "/v1/check", request + "sasl_username=joe@example.com\n");
  CHECK(blocked.json["action"] == "REJECT");
  CHECK(blocked.json["cause"] == "block");
  CHECK(blocked.json["block"] == kJoe);
}

TEST_CASE("api: what is not one request of Postfix cannot be checked") {
  Rig rig;
  CHECK(rig.error("POST", "/v1/check", "\n\n") ==
        "400 the request is empty; expected lines of NAME=VALUE as Postfix sends them");
  CHECK(rig.error("POST", "/v1/check", "hello") ==
        "400 not a request of Postfix: a line without '=': \"hello\"");
  CHECK(rig.error("POST", "/v1/check", "a=b\n\nc=d\n\n") ==
        "400 there is more than one request; check them one at a time");
  CHECK(rig.error("POST", "/v1/check", "a=b\r\n\r\n") ==
        "400 lines end in CRLF; Postfix ends them with LF alone");
}

TEST_CASE("api: the status names node, store and what was decided") {
  Rig rig;
  rig.clock.advance(std::chrono::minutes(2));
  const Json status = rig.ask("GET", "/v1/status").json;
  CHECK(status["node"] == "mx1");
  CHECK(status["uptime"] == 120);
  CHECK(status["store"]["available"] == true);
  CHECK(status["nodes"][0]["name"] == "mx1");
  CHECK(status["requests"] == 0);
  CHECK(status["verdicts"]["incoming"]["REJECT"] == 0);
  CHECK(status["causes"]["block"] == 0);
  CHECK(status["zones"] == Json::array());
  CHECK(status["checks"]["reverse_dns"] == Json({{"hits", 0}, {"errors", 0}}));
  CHECK(status["connections"] == 3);
  CHECK(status["bad_requests"] == 1);
  CHECK(status["blocks"] == 0);
  CHECK(status["admin"] == Json::array({"unix:/run/policyd/admin.sock"}));
}

TEST_CASE("api: the status shows how DNS lists do") {
  Rig rig(R"([[checks.dnsbl.zones]]
zone = "bl.example"
label = "BL"
[[checks.rhsbl.zones]]
zone = "names.example"
)");
  rig.resolver.add("2.0.0.127.bl.example A 127.0.0.2\n*.names.example SERVFAIL");
  CHECK(rig.ask("GET", "/v1/status").json["zones"][0]["state"] == "untested");
  rig.zones.tick();
  const Json zones = rig.ask("GET", "/v1/status").json["zones"];
  CHECK(zones[0] == Json({{"check", "dnsbl"},
                          {"zone", "bl.example"},
                          {"label", "BL"},
                          {"state", "good"},
                          {"detail", ""},
                          {"since", "2026-11-21T10:00:00Z"},
                          {"test_points", true},
                          {"lookups", 0},
                          {"listings", 0},
                          {"errors", 0}}));
  CHECK(zones[1]["check"] == "rhsbl");
  CHECK(zones[1]["state"] == "suspended");
  CHECK(zones[1]["detail"] == "its servers cannot tell (SERVFAIL, REFUSED)");
}

TEST_CASE("api: the configuration in force is TOML that reads back") {
  Rig rig;
  const std::string toml = rig.ask("GET", "/v1/config").json["toml"];
  const auto again = parse_config(toml, "shown", check_specs());
  REQUIRE(std::holds_alternative<Config>(again));
  CHECK(std::get<Config>(again).accounts == rig.engine.config().accounts);
}

TEST_CASE("api: what is not in the table of routes is 404, or 405 with what would do") {
  Rig rig;
  CHECK(rig.error("GET", "/") == "404 \"GET /\" is not in the API; GET /v1 lists what is");
  CHECK(rig.error("GET", "/v1/nonsense") ==
        "404 \"GET /v1/nonsense\" is not in the API; GET /v1 lists what is");
  CHECK(rig.allow.empty());
  CHECK(rig.error("DELETE", "/v1/blocks") ==
        "405 \"DELETE /v1/blocks\" is not in the API; that path takes GET, POST");
  CHECK(rig.allow == "GET, POST");
  CHECK(rig.error("GET", "/v1/blocks/%") ==
        "400 \"%\" is not percent-encoded: two hexadecimal digits follow each '%'");
  CHECK(rig.ask("GET", "/v1").json["routes"].size() == api_routes().size());
}

TEST_CASE("api: where the loop does not get to a request, the client is told") {
  Rig rig;
  const HttpResponse response = serve(rig.context, {"GET", "/v1/status", ""},
                                      [](const auto&) { return std::optional<ApiAnswer>(); });
  CHECK(response.status == 503);
  CHECK(response.body == "{\"error\":\"policyd is too busy to answer, or stopping; try again\"}\n");
}

TEST_CASE("api: SPF is evaluated by hand") {
  Rig rig;
  const auto evaluate = [&rig](const Json& query) { return rig.ask("POST", "/v1/spf", query.dump()).json; };
  const Json fail = evaluate({{"client", "192.0.2.2"}, {"sender", "joe@example.com"}, {"helo", "mx.example.com"},
                              {"receiver", "mx1.example.org"}});
  CHECK(fail == Json({{"result", "fail"},
                      {"explanation", "Not from 192.0.2.2"},
                      {"mechanism", "-all"},
                      {"problem", ""},
                      {"identity", "mailfrom"},
                      {"domain", "example.com"},
                      {"client", "192.0.2.2"},
                      {"received_spf",
                       "fail (mx1.example.org: domain of joe@example.com does not designate 192.0.2.2 as permitted sender) "
                       "client-ip=192.0.2.2; identity=mailfrom; envelope-from=\"joe@example.com\"; helo=mx.example.com; "
                       "receiver=mx1.example.org; mechanism=-all;"}}));
  CHECK(evaluate({{"client", "192.0.2.1"}, {"sender", "@example.com"}})["result"] == "pass");
  const Json null_sender = evaluate({{"client", "::ffff:192.0.2.1"}, {"sender", ""}, {"helo", "example.com"}});
  CHECK(null_sender["result"] == "pass");
  CHECK(null_sender["identity"] == "helo");
  CHECK(null_sender["client"] == "192.0.2.1");
  const Json none = evaluate({{"client", "192.0.2.1"}, {"sender", "j\xc3\xbcrgen@localhost"}});
  CHECK(none["result"] == "none");
  CHECK(none["problem"] == "\"localhost\" is no domain that can have an SPF record");

  CHECK(rig.error("POST", "/v1/spf", "{}") == "400 \"\" is not an IP address, as the client has to be");
  CHECK(rig.error("POST", "/v1/spf", R"({"client": "mx.example.com"})") ==
        "400 \"mx.example.com\" is not an IP address, as the client has to be");
  CHECK(rig.error("POST", "/v1/spf", R"({"client": "192.0.2.1", "sender": 1})") ==
        "400 client, sender, helo and receiver are strings");
  CHECK(rig.error("POST", "/v1/spf", R"({"client": "192.0.2.1", "from": "x"})") ==
        "400 \"from\" is not known; there are client, sender, helo and receiver");
  CHECK(rig.error("GET", "/v1/spf") == "405 \"GET /v1/spf\" is not in the API; that path takes POST");
}
