// Signs of a hijack that others report: whom they count for, and what makes no sense.
#include <doctest/doctest.h>

#include "tests/support/api_rig.h"
#include "tests/support/captured_log.h"

using namespace policyd;
using Reply = test::ApiReply;
using Rig = test::ApiRig;

namespace {

const std::string kTraffic = "[traffic]\naccount = ";
const std::string kInvalid = R"({"sign": "invalid_recipients", "count": 3})";

std::string path_of(const std::string& account) { return "/v1/accounts/" + account + "/signs"; }

}  // namespace

TEST_CASE("api: a reported sign counts for the account that the mail was charged to") {
  struct Case {
    const char* charged;
    const char* reported;
    const char* counted;
  };
  for (const Case& c : {Case{"login", "Joe@example.com", "joe@example.com"}, Case{"login", "192.0.2.7", "192.0.2.7"},
                        Case{"domain", "Joe@example.com", "example.com"}, Case{"domain", "example.com", "example.com"},
                        Case{"domain", "joe", "joe"}, Case{"domain", "192.0.2.7", "192.0.2.7"},
                        Case{"network", "192.0.2.7", "192.0.2.0/24"},
                        Case{"network", "192.0.2.0%2F24", "192.0.2.0/24"},
                        Case{"network", "2001:db8::1", "2001:db8::/64"}}) {
    CAPTURE(c.charged);
    CAPTURE(c.reported);
    Rig rig(kTraffic + "\"" + c.charged + "\"\n");
    const test::CapturedLog log;
    const Reply reply = rig.ask("POST", path_of(c.reported), kInvalid);
    CHECK(reply.status == 200);
    CHECK(reply.json == Json({{"account", c.counted}, {"sign", "invalid_recipients"}, {"count", 3}, {"counted", true},
                              {"over", nullptr}}));
    const AccountUsage usage = *rig.loop.run(rig.store.usage(c.counted));
    REQUIRE(usage.usage.size() == 1);
    CHECK(usage.usage[0].meter == Meter::invalid_recipients);
    CHECK(usage.usage[0].used == 3);
  }
}

TEST_CASE("api: where mail is charged to networks, a sign of a login counts for none") {
  Rig rig(kTraffic + "\"network\"\n");
  const auto refusal = [](const std::string& account) {
    return "409 mail is charged to the client's network (traffic.account), which is not known of " + account +
           "; report the client's address or network";
  };
  CHECK(rig.error("POST", path_of("Joe@example.com"), kInvalid) == refusal("joe@example.com"));
  CHECK(rig.error("POST", path_of("192.0.0.0%2F16"), kInvalid) == refusal("192.0.0.0/16"));
}

TEST_CASE("api: of what no mail is charged to nothing is counted, and it is not locked") {
  const std::string many = R"({"sign": "invalid_recipients", "count": 51})";
  const std::string charged = " mail is charged to a login, or without one the client's address (of IPv6 its /64)";
  Rig rig;
  for (const auto& [account, shown] : {std::pair<std::string, std::string>{"192.0.2.0%2F24", "192.0.2.0/24"},
                                       {"default", "default"}}) {
    CHECK(rig.error("POST", path_of(account), many) ==
          "400 \"" + shown + "\" cannot be locked: under traffic.account = \"login\"" + charged);
  }
  CHECK(rig.error("POST", path_of("@example.com"), many) ==
        "400 \"@example.com\" is not an account; for all of a domain write \"example.com\"");
  CHECK(rig.loop.run(rig.store.list_usage(10))->accounts.empty());
  CHECK(rig.ask("GET", "/v1/locks").json["locks"].empty());
  Rig domains(kTraffic + "\"domain\"\n");
  CHECK(domains.error("POST", path_of("192.0.2.0%2F24"), many).starts_with("400 \"192.0.2.0/24\" cannot be locked"));
}
