// The admin API and accounts: usage, limits, settings and their overrides.
#include <doctest/doctest.h>

#include "shared/charged_name.h"
#include "shared/text.h"
#include "tests/support/api_rig.h"

using namespace policyd;
using Reply = test::ApiReply;
using Rig = test::ApiRig;

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
  REQUIRE(reply.json["limits"].size() == 5);
  CHECK(reply.json["limits"][0] == Json({{"meter", "messages"},
                                         {"limit", "120/1m"},
                                         {"maximum", 120},
                                         {"window", "1m"},
                                         {"used", 2},
                                         {"left", 118}}));
  CHECK(reply.json["limits"][2]["used"] == 1500);
  CHECK(reply.json["limits"][3]["limit"] == "500/1d");
  CHECK(reply.json["limits"][4]["meter"] == "invalid_recipients");
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

TEST_CASE("api: settings of a login of any length are those of the account that its mail is charged to") {
  Rig rig;
  const std::string login = std::string(2000, 'X') + "@example.com", charged = charged_name(to_lower(login));
  const std::string setting = "/v1/accounts/" + login + "/settings/messages";
  CHECK(rig.ask("PUT", setting, R"({"value": "120/1m"})").json["account"] == charged);
  CHECK(rig.ask("GET", "/v1/accounts/" + charged).json["settings"]["messages"] ==
        Json({{"value", "120/1m"}, {"from", charged}, {"source", "store"}}));
  CHECK(rig.ask("DELETE", setting).json["account"] == charged);
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

TEST_CASE("api: an account tells whom its mail is charged to, and whether that is locked") {
  struct Case {
    const char* mode;
    const char* account;
    Json charged;
    const char* told;  // where nothing is counted
  };
  for (const Case& c : {Case{"login", "joe@example.com", "joe@example.com", ""},
                        Case{"domain", "joe@example.com", "example.com", "; its mail is charged to example.com"},
                        Case{"domain", "example.com", "example.com", ""}, Case{"domain", "joe", "joe", ""},
                        Case{"network", "192.0.2.7", "192.0.2.0/24", "; its mail is charged to 192.0.2.0/24"},
                        Case{"network", "joe@example.com", nullptr, "; its mail is charged to the client's network"}}) {
    CAPTURE(c.mode);
    CAPTURE(c.account);
    Rig rig("[traffic]\naccount = \"" + std::string(c.mode) + "\"\n");
    const std::string path = "/v1/accounts/" + std::string(c.account);
    CHECK(rig.ask("GET", path).json["charged"] == Json({{"account", c.charged}, {"lock", nullptr}}));
    CHECK(rig.error("POST", path + "/reset") == "404 nothing is counted for the account " + std::string(c.account) +
                                                    c.told);
  }
  Rig rig("[traffic]\naccount = \"domain\"\n");
  const Json lock = rig.ask("PUT", "/v1/accounts/example.com/lock", R"({"reason": "phished"})").json;
  const Json shown = rig.ask("GET", "/v1/accounts/joe@example.com").json;
  CHECK(shown["lock"].is_null());
  CHECK(shown["charged"] == Json({{"account", "example.com"}, {"lock", lock}}));
}
