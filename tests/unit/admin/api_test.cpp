// The admin API from request to JSON: checks, status, configuration, SPF, and what is no request of it.
#include <doctest/doctest.h>

#include "tests/support/api_rig.h"

using namespace policyd;
using Reply = test::ApiReply;
using Rig = test::ApiRig;
using test::kJoe;

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

TEST_CASE("api: the status shows how the DNS does") {
  Rig rig;
  rig.dns.counts = {80, 5, 14, 3, 2, 1, 4, 70, 9000};
  rig.dns.servers = {{"[::1]:53", {20, 17, 2}}, {"192.0.2.53:53", {}}};
  CHECK(rig.ask("GET", "/v1/status").json["dns"] ==
        Json::parse(R"({"lookups": 100, "hits": 80, "joins": 5, "queries": 14, "timed_out": 3, "failures": 2,
                        "refused": 1, "in_flight": 4, "cached": 70, "cached_octets": 9000, "servers": [
                          {"server": "[::1]:53", "tries": 20, "answers": 17, "failures": 2},
                          {"server": "192.0.2.53:53", "tries": 0, "answers": 0, "failures": 0}]})"));
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
  CHECK(zones[1]["since"] == "2026-11-21T10:00:00Z");
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
                       "fail (mx1.example.org: domain of joe@example.com does not designate 192.0.2.2 as permitted "
                       "sender) client-ip=192.0.2.2; identity=mailfrom; envelope-from=\"joe@example.com\"; "
                       "helo=mx.example.com; receiver=mx1.example.org; mechanism=-all;"}}));
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
