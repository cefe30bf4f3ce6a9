// Reports in the admin API, from what the engine decided to JSON, on an embedded store.
#include <doctest/doctest.h>

#include "tests/support/api_rig.h"
#include "tests/support/make_request.h"
#include "tests/support/request_lines.h"

namespace policyd {
namespace {

using std::chrono::hours;
using std::chrono::minutes;
using test::request_lines;

constexpr std::string_view kConfig =
    "[greylist]\nenabled = true\n[score.incoming]\ndefer = 0\nreject = 10\n[checks.spf]\nincoming = 0\n"
    "[checks.sender_domain]\nincoming = 0\n[checks.sender]\nincoming = 0\n[checks.reverse_dns]\nincoming = 0\n"
    "[checks.ehlo]\nincoming = { unqualified = 10 }\n[[checks.dnsbl.zones]]\nzone = \"bl.example\"\nincoming = 2\n";

struct Rig : test::ApiRig {
  Rig() : ApiRig(kConfig) {}

  void decide(test::Attributes changes) {
    changes.emplace("instance", std::to_string(++messages_));
    const auto request = make_request(request_lines(changes));
    loop.run(engine.decide(*request));
  }
  // A message of `sender`, tried again after so many minutes each.
  void send(const std::string& sender, std::initializer_list<int> again,
            const std::string& recipient = "bob@example.com") {
    decide({{"sender", sender}, {"recipient", recipient}});
    for (const int after : again) {
      clock.advance(minutes(after));
      decide({{"sender", sender}, {"recipient", recipient}});
    }
  }
  Json json(const std::string& target) {
    test::ApiReply reply = ask("GET", target);
    CHECK(reply.status == 200);
    return std::move(reply.json);
  }
  std::string refused(const std::string& target) { return error("GET", target); }

 private:
  int messages_ = 0;
};

Json sums(int attempts, int begun, int passed, int waiting, int never, int at_once) {
  return {{"attempts", attempts}, {"new", begun},   {"passed", passed},
          {"waiting", waiting},   {"never", never}, {"at_once", at_once}};
}

TEST_CASE("api report: who came back, who still can, and who never did") {
  Rig rig;
  rig.send("ann@stranger.example", {1, 4});          // first, early, passed
  rig.send("ann@stranger.example", {});              // at once
  rig.send("eve@stranger.example", {1, 1});          // does not wait long enough, and gives up
  rig.send("max@stranger.example", {}, "ann@example.net");
  CHECK(rig.json("/v1/reports/greylist")["total"] == sums(7, 3, 1, 2, 0, 1));

  // Until 17:00 those who began between 10:00 and 11:00 can pass.
  rig.clock.set_wall(test::FakeClock::kStart + hours(7) - Milliseconds(1));
  CHECK(rig.json("/v1/reports/greylist")["total"] == sums(7, 3, 1, 2, 0, 1));
  rig.clock.set_wall(test::FakeClock::kStart + hours(7));
  rig.send("sue@stranger.example", {});
  CHECK(rig.json("/v1/reports/greylist") ==
        Json({{"since", "2026-11-14T17:00:00Z"},
              {"until", "2026-11-21T17:00:00Z"},
              {"pass", "6h"},
              {"total", sums(8, 4, 1, 1, 2, 1)},
              {"clients", {{"rows", Json::array({Json({{"client", "stranger.example"}, {"attempts", 8}, {"new", 4},
                                                       {"passed", 1}, {"waiting", 1}, {"never", 2}, {"at_once", 1}})})},
                           {"more", 0}}},
              {"recipients",
               {{"rows", Json::array({Json({{"recipient", "example.com"}, {"attempts", 7}, {"new", 3}, {"passed", 1},
                                            {"waiting", 1}, {"never", 1}, {"at_once", 1}}),
                                      Json({{"recipient", "example.net"}, {"attempts", 1}, {"new", 1}, {"passed", 0},
                                            {"waiting", 0}, {"never", 1}, {"at_once", 0}})})},
                {"more", 0}}}}));
  CHECK(rig.json("/v1/reports/greylist?since=1h")["total"] == sums(1, 1, 0, 1, 0, 0));
}

TEST_CASE("api report: a pass counts in the hour of the first attempt, not in its own") {
  Rig rig;
  rig.clock.advance(minutes(58));
  rig.send("ann@stranger.example", {5});  // first at 10:58, passed at 11:03
  CHECK(rig.json("/v1/reports/greylist?since=1m")["total"] == sums(0, 0, 0, 0, 0, 0));
  CHECK(rig.json("/v1/reports/greylist?since=1h")["total"] == sums(2, 1, 1, 0, 0, 0));
  rig.clock.advance(hours(10));
  CHECK(rig.json("/v1/reports/greylist")["total"] == sums(2, 1, 1, 0, 0, 0));
}

TEST_CASE("api report: by one of the two, and as many rows as are asked for") {
  Rig rig;
  for (int i = 0; i < 25; ++i) rig.send("ann@stranger.example", {}, "bob@" + std::to_string(i) + ".example.com");
  const Json both = rig.json("/v1/reports/greylist");
  CHECK(both["recipients"]["rows"].size() == 20);
  CHECK(both["recipients"]["more"] == 5);
  const Json one = rig.json("/v1/reports/greylist?by=recipient&limit=1");
  CHECK(one["recipients"]["rows"].size() == 1);
  CHECK(one["recipients"]["more"] == 24);
  CHECK_FALSE(one.contains("clients"));
  CHECK_FALSE(rig.json("/v1/reports/greylist?by=client").contains("recipients"));
}

TEST_CASE("api report: what checks and lists found and decided") {
  Rig rig;
  rig.resolver.add("1.2.0.192.bl.example A 127.0.0.2");
  rig.zones.tick();
  rig.decide({{"helo_name", "nodot"}, {"client_address", "192.0.2.9"}});
  rig.decide({});
  const Json report = rig.json("/v1/reports/checks?since=1h");
  CHECK(report["since"] == "2026-11-21T09:00:00Z");
  CHECK(report["checks"] ==
        Json::array({Json({{"check", "ehlo"}, {"requests", 2}, {"hits", 1}, {"share", 0.5}, {"decided", 1},
                           {"errors", 0}, {"median_ms", nullptr},
                           {"outcomes", Json::array({Json({{"outcome", "unqualified"}, {"requests", 2}, {"hits", 1},
                                                           {"share", 0.5}, {"decided", 1}})})},
                           {"zones", Json::array()}}),
                     Json({{"check", "dnsbl"}, {"requests", 2}, {"hits", 1}, {"share", 0.5}, {"decided", 0},
                           {"errors", 0}, {"median_ms", nullptr},
                           {"outcomes", Json::array({Json({{"outcome", "listed"}, {"requests", 2}, {"hits", 1},
                                                           {"share", 0.5}, {"decided", 0}})})},
                           {"zones", Json::array({Json({{"zone", "bl.example"}, {"requests", 2}, {"hits", 1},
                                                        {"share", 0.5}, {"decided", 0}, {"errors", 0},
                                                        {"median_ms", nullptr}})})}})}));
}

TEST_CASE("api report: what makes no sense is refused") {
  Rig rig;
  for (const std::string report : {"greylist", "checks"}) {
    const std::string path = "/v1/reports/" + report;
    CHECK(rig.refused(path + "?since=") ==
          "400 since: \"\" is not a duration: expected a whole number and one of ms, s, m, h, d, w, e.g. 90s or 15m");
    CHECK(rig.refused(path + "?since=0") ==
          "400 since: \"0\" is not more than 0 and at most 31d, for which figures are kept");
    CHECK(rig.refused(path + "?since=32d") ==
          "400 since: \"32d\" is not more than 0 and at most 31d, for which figures are kept");
    CHECK(rig.json(path + "?since=31d").contains("since"));
  }
  CHECK(rig.refused("/v1/reports/greylist?by=zone") == "400 by: \"zone\" is none of client, recipient");
  CHECK(rig.refused("/v1/reports/greylist?limit=0") == "400 limit: \"0\" is not a number from 1 to 10000");
}

}  // namespace
}  // namespace policyd
