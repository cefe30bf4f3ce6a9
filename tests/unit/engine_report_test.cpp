// What the engine counts for reports: checks and their outcomes, DNS lists, what decided, what took how long.
#include <doctest/doctest.h>

#include <map>
#include <string>

#include "policyd/report/histogram.h"
#include "policyd/report/report_table.h"
#include "tests/support/engine_rig.h"

namespace policyd {
namespace {

using test::Asking;
using test::EngineRig;
using test::outgoing_lines;
using test::request_lines;

const test::Attributes kUnqualified{{"helo_name", "nodot"}, {"instance", "1"}};
const test::Attributes kNameless{{"client_name", "unknown"}, {"reverse_client_name", "unknown"}, {"instance", "2"}};
const test::Attributes kBoth{
    {"client_name", "unknown"}, {"reverse_client_name", "unknown"}, {"helo_name", "nodot"}, {"instance", "3"}};
const std::string kScores =
    "[score.incoming]\ndefer = 10\nhold = 0\nreject = 20\n[checks.ehlo]\nincoming = { unqualified = 10, literal = 5 }\n"
    "[checks.reverse_dns]\nincoming = { missing = 10 }\n[checks.sender]\nincoming = 0\n[checks.sender_domain]\n"
    "incoming = 0\n";

// "ehlo" -> "requests hits decided errors", what there is.
std::map<std::string, std::string> drained(EngineRig& rig) {
  ReportTable table({});
  rig.engine.tally().drain(rig.clock.wall(), table);
  std::map<std::string, std::string> rows;
  for (const ReportHour& hour : table.hours(ReportKind::checks, rig.clock.wall())) {
    for (const auto& [name, figures] : *hour.rows) {
      rows[name] = format_figures({figures.begin(), figures.begin() + std::min<ptrdiff_t>(std::ssize(figures), 4)});
    }
  }
  return rows;
}

std::optional<double> median(EngineRig& rig, const std::string& name) {
  ReportTable table({});
  rig.engine.tally().drain(rig.clock.wall(), table);
  const ReportHours hours = table.hours(ReportKind::checks, rig.clock.wall());
  if (hours.empty() || !hours[0].rows->contains(name)) return std::nullopt;
  const Figures& figures = hours[0].rows->at(name);
  return Histogram::median(std::span(figures).subspan(check_figure::times));
}

TEST_CASE("engine report: requests, hits, and what the action hung on") {
  EngineRig rig(kScores);
  CHECK(rig.decide(request_lines()).action == Action::dunno);
  CHECK(rig.decide(request_lines(kUnqualified)).action == Action::defer);
  CHECK(rig.decide(request_lines(kNameless)).action == Action::defer);
  CHECK(rig.decide(request_lines(kBoth)).action == Action::reject);
  CHECK(drained(rig) == std::map<std::string, std::string>{{"ehlo", "4 2 2"},
                                                           {"ehlo.unqualified", "0 2 2"},
                                                           {"reverse_dns", "4 2 2"},
                                                           {"reverse_dns.missing", "0 2 2"}});
  CHECK(drained(rig).empty());
}

TEST_CASE("engine report: of two findings that are enough each, neither decided; of one that blocks, that one") {
  EngineRig rig("[score.incoming]\ndefer = 0\nreject = 10\n[checks.ehlo]\nincoming = { unqualified = 10 }\n"
                "[checks.reverse_dns]\nincoming = { missing = 10 }\n[checks.sender]\nincoming = 0\n"
                "[checks.sender_domain]\nincoming = 0\n");
  CHECK(rig.decide(request_lines(kBoth)).action == Action::reject);
  CHECK(drained(rig).at("ehlo") == "1 1");
  EngineRig blocking("[score.incoming]\ndefer = 5\nreject = 0\n"
                     "[checks.ehlo]\nincoming = { unqualified = 1 }\nblock = true\n"
                     "[checks.reverse_dns]\nincoming = { missing = 10 }\n[checks.sender_domain]\nincoming = 0\n");
  CHECK(blocking.decide(request_lines(kBoth)).action == Action::reject);
  const auto rows = drained(blocking);
  CHECK(rows.at("ehlo") == "1 1 1");
  CHECK(rows.at("reverse_dns") == "1 1");
}

TEST_CASE("engine report: a dry run hits and never decides") {
  EngineRig rig("[score.incoming]\ndefer = 10\n[checks.ehlo]\nincoming = { unqualified = 10 }\ndry_run = true\n"
                "[checks.sender_domain]\nincoming = 0\n");
  CHECK(rig.decide(request_lines(kUnqualified)).action == Action::dunno);
  CHECK(drained(rig).at("ehlo") == "1 1");
}

TEST_CASE("engine report: the score that greylisting begins at decides, too") {
  EngineRig rig("[greylist]\nenabled = true\nmin_score = 10\n[score.incoming]\ndefer = 0\nreject = 0\n"
                "[checks.ehlo]\nincoming = { unqualified = 10 }\n[checks.reverse_dns]\nincoming = 0\n"
                "[checks.sender_domain]\nincoming = 0\n");
  rig.store.greylisted = {GreylistResult::Outcome::first, std::chrono::minutes(4), false, rig.clock.wall()};
  CHECK(rig.decide(request_lines(kUnqualified)).cause == Cause::greylist);
  CHECK(drained(rig).at("ehlo") == "1 1 1");
}

TEST_CASE("engine report: a check that could not be done is an error") {
  EngineRig rig("[checks.sender_domain]\nincoming = 10\n");
  rig.resolver.add("broken.example SERVFAIL");
  rig.decide(request_lines({{"sender", "ann@broken.example"}}));
  CHECK(drained(rig).at("sender_domain") == "1 0 0 1");
}

TEST_CASE("engine report: what a recent decision answers, what is blocked and what is only explained is not counted") {
  EngineRig rig(kScores);
  rig.decide(request_lines());
  rig.decide(request_lines());  // cause earlier
  rig.explain(request_lines(kUnqualified));
  rig.block(BlockType::email, "eve@stranger.example");
  rig.decide(request_lines({{"sender", "eve@stranger.example"}}));
  rig.decide(outgoing_lines());
  rig.decide(request_lines({{"protocol_state", "DATA"}}));
  CHECK(drained(rig) == std::map<std::string, std::string>{{"ehlo", "1"}, {"reverse_dns", "1"}});
}

const std::string kLists =
    "[score.incoming]\ndefer = 0\nreject = 30\n[checks.ehlo]\nincoming = 0\n[checks.reverse_dns]\nincoming = 0\n"
    "[checks.sender]\nincoming = 0\n[checks.sender_domain]\nincoming = 0\n"
    "[[checks.dnsbl.zones]]\nzone = \"a.example\"\nincoming = 30\n"
    "[[checks.dnsbl.zones]]\nzone = \"a.example\"\nanswers = \"127.0.0.9\"\nincoming = 5\n"
    "[[checks.dnsbl.zones]]\nzone = \"b.example\"\nincoming = 30\n"
    "[[checks.rhsbl.zones]]\nzone = \"n.example\"\nincoming = 30\n";

TEST_CASE("engine report: each list is counted once a request, with what it decided") {
  EngineRig rig(kLists);
  rig.resolver.add("1.2.0.192.a.example A 127.0.0.9");
  rig.resolver.add("2.2.0.192.a.example A 127.0.0.2\n2.2.0.192.b.example A 127.0.0.2");
  rig.resolver.add("stranger.example.n.example A 127.0.0.2\nmail.stranger.example.n.example A 127.0.0.2");
  rig.resolver.add("3.2.0.192.b.example SERVFAIL");
  const auto from = [&](const char* client, const char* domain) {
    rig.decide(request_lines({{"client_address", client},
                              {"sender", std::string("ann@") + domain},
                              {"helo_name", "mail.good.example"},
                              {"client_name", "mail.good.example"}}));
  };
  from("192.0.2.1", "good.example");
  from("192.0.2.2", "good.example");
  from("192.0.2.3", "good.example");
  from("192.0.2.4", "stranger.example");
  CHECK(drained(rig) == std::map<std::string, std::string>{{"dnsbl", "4 2 2 1"},
                                                           {"dnsbl.listed", "0 2 2"},
                                                           {"dnsbl:a.example", "4 2 1"},
                                                           {"dnsbl:b.example", "4 1 0 1"},
                                                           {"rhsbl", "4 1 1"},
                                                           {"rhsbl.listed", "0 1 1"},
                                                           {"rhsbl:n.example", "4 1 1"}});
}

TEST_CASE("engine report: only what had to be asked of the DNS has a time") {
  EngineRig rig(kLists);
  rig.resolver.set_later(true);
  const Asking asking(rig.engine, request_lines());
  CHECK_FALSE(asking.done());
  rig.clock.advance(Milliseconds{50});
  CHECK(rig.resolver.deliver(Milliseconds{40}));
  CHECK(asking.done());
  CHECK(median(rig, "dnsbl:a.example") == 40);  // 32 to 48
  rig.decide(request_lines({{"instance", "2"}}));
  CHECK_FALSE(median(rig, "dnsbl:a.example").has_value());
}

TEST_CASE("engine report: a check takes from its start until it is done, all its look-ups together") {
  EngineRig rig("[checks.sender_domain]\nincoming = 10\n[checks.reverse_dns]\nincoming = 0\n"
                "[checks.ehlo]\nincoming = 0\n");
  rig.resolver.set_later(true);
  const Asking asking(rig.engine, request_lines());
  rig.clock.advance(Milliseconds{20});
  CHECK(rig.resolver.deliver());  // MX
  CHECK_FALSE(asking.done());
  rig.clock.advance(Milliseconds{20});
  CHECK(rig.resolver.deliver());  // its address
  CHECK(asking.done());
  CHECK(median(rig, "sender_domain") == 40);
}

TEST_CASE("engine report: what was found of late counts for every request that it is used for") {
  EngineRig rig(kLists);
  rig.resolver.add("1.2.0.192.a.example A 127.0.0.2");
  for (const char* recipient : {"bob@example.com", "ann@example.com", "eve@example.com"}) {
    rig.decide(request_lines({{"recipient", recipient}}));
  }
  const auto rows = drained(rig);
  CHECK(rows.at("dnsbl") == "3 3 3");
  CHECK(rows.at("dnsbl:a.example") == "3 3 3");
  CHECK(rows.at("dnsbl:b.example") == "3");
  CHECK(rows.at("rhsbl:n.example") == "3");
}

TEST_CASE("engine report: rows of a list stay over a reload of the configuration") {
  EngineRig rig(kLists);
  rig.decide(request_lines());
  rig.engine.reconfigure(test::config_from("[checks.spf]\nincoming = 0\n"));
  rig.engine.reconfigure(test::config_from("[checks.spf]\nincoming = 0\n" + kLists));
  rig.decide(request_lines());
  CHECK(drained(rig).at("dnsbl:a.example") == "2");
}

}  // namespace
}  // namespace policyd
