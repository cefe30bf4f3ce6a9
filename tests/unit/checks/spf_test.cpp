// The spf check: which outcome a result is, and what is an error.
#include <doctest/doctest.h>

#include <algorithm>

#include "shared/local_host.h"
#include "shared/protocol.h"
#include "tests/support/engine_rig.h"
#include "tests/support/make_request.h"

using namespace policyd;

namespace {

constexpr std::string_view kZone = R"(
  pass.example TXT v=spf1 ip4:192.0.2.1 exp=explain.example -all
  softfail.example TXT v=spf1 ~all
  neutral.example TXT v=spf1
  broken.example TXT v=spf1 ip4:1
  dead.example SERVFAIL
)";

std::string judge(std::string_view client, std::string_view sender, std::string_view helo, const Config& config = {}) {
  test::FakeResolver resolver(kZone);
  std::string attributes = "protocol_state=RCPT\nclient_address=";
  attributes.append(client).append("\nsender=").append(sender).append("\nhelo_name=").append(helo);
  std::string said = observe("spf", attributes, config, resolver);
  for (const std::string& question : resolver.asked()) CHECK(question != "TXT explain.example");
  return said;
}

}  // namespace

TEST_CASE("spf check: every result is an outcome, but for what cannot be looked up") {
  struct Case {
    std::string_view client, sender, helo, want;
  };
  const Case cases[] = {
      {"192.0.2.1", "joe@pass.example", "mx.example", "pass (192.0.2.1 by ip4:192.0.2.1: pass.example)"},
      {"192.0.2.2", "joe@pass.example", "mx.example", "fail (192.0.2.2 by -all: pass.example)"},
      {"192.0.2.2", "joe@softfail.example", "mx.example", "softfail (192.0.2.2 by ~all: softfail.example)"},
      {"192.0.2.2", "joe@neutral.example", "mx.example", "neutral (192.0.2.2 by default: neutral.example)"},
      {"192.0.2.2", "joe@none.example", "mx.example", "none (none.example has no SPF record: none.example)"},
      {"192.0.2.2", "joe@broken.example", "mx.example",
       "permerror (the SPF record of broken.example: \"ip4:1\": not an IPv4 network: broken.example)"},
      {"192.0.2.2", "joe@dead.example", "mx.example", "error: the TXT records of dead.example cannot be looked up"},
      {"192.0.2.1", "", "pass.example", "pass (192.0.2.1 by ip4:192.0.2.1: pass.example)"},
      {"192.0.2.1", "", "localhost", "none (\"localhost\" is no domain that can have an SPF record: localhost)"},
      {"2001:db8::1", "joe@pass.example", "mx.example", "fail (2001:db8::1 by -all: pass.example)"},
      {"unknown", "joe@pass.example", "mx.example",
       "error: the client's address is not known: client_address=\"unknown\""},
      {"192.0.2.1", "", "", "error: the sender is null, and there is no EHLO name"},
  };
  for (const Case& row : cases) {
    CAPTURE(row.want);
    CHECK(judge(row.client, row.sender, row.helo) == row.want);
  }
}

TEST_CASE("spf check: temperror is an outcome where it has a weight") {
  const auto parsed = parse_config("[checks.spf]\nincoming = { temperror = 3 }\n", "test.toml", check_specs());
  REQUIRE(std::holds_alternative<Config>(parsed));
  CHECK(judge("192.0.2.1", "joe@dead.example", "mx.example", std::get<Config>(parsed)) ==
        "temperror (the TXT records of dead.example cannot be looked up: dead.example)");
}

namespace {

// The header field that the check writes, in incoming or other mail.
std::string header(std::string_view client, std::string_view sender, std::string_view helo,
                   std::string_view toml = "received_spf = true", Direction direction = Direction::incoming) {
  const std::string document = "[checks.spf]\noutgoing = 1\n" + std::string(toml) + "\n";
  const auto parsed = parse_config(document, "test.toml", check_specs());
  REQUIRE(std::holds_alternative<Config>(parsed));
  const Config& config = std::get<Config>(parsed);
  const CheckRow& row = check_named("spf");
  std::string attributes = "protocol_state=RCPT\nclient_address=";
  attributes.append(client).append("\nsender=").append(sender).append("\nhelo_name=").append(helo);
  const auto request = make_request(attributes);
  const test::FakeClock clock;
  test::FakeResolver resolver(kZone);
  Zones zones(resolver, clock);
  const CheckSettings settings = settings_of(row.spec, config);
  const CheckContext context{*request, config, settings, direction, resolver, zones, clock};
  const Task<Observation> task = row.run(context);
  return resolver.run(task).header;
}

}  // namespace

TEST_CASE("spf check: every result is a header field, if that is asked for") {
  struct Case {
    std::string_view client, sender, want;
  };
  const Case cases[] = {
      {"192.0.2.1", "joe@pass.example", "Received-SPF: pass ("},
      {"192.0.2.2", "joe@pass.example", "Received-SPF: fail ("},
      {"192.0.2.2", "joe@softfail.example", "Received-SPF: softfail ("},
      {"192.0.2.2", "joe@neutral.example", "Received-SPF: neutral ("},
      {"192.0.2.2", "joe@none.example", "Received-SPF: none ("},
      {"192.0.2.2", "joe@dead.example", "Received-SPF: temperror ("},
      {"192.0.2.2", "joe@broken.example", "Received-SPF: permerror ("},
  };
  for (const Case& row : cases) {
    CAPTURE(row.want);
    const std::string said = header(row.client, row.sender, "mx.example");
    CHECK(said.starts_with(row.want));
    CHECK(said.find(" receiver=" + local_host_name() + ";") != std::string::npos);
    CHECK(header(row.client, row.sender, "mx.example", "").empty());
    CHECK(header(row.client, row.sender, "mx.example", "received_spf = true", Direction::outgoing).empty());
  }
  CHECK(header("unknown", "joe@pass.example", "mx.example").empty());
  CHECK(header("192.0.2.1", "", "").empty());
}

TEST_CASE("spf check: what a client says leaves its header field one line that a reply can carry") {
  for (const std::string_view filler : {"x", "(", ")", "\"", "\\", "\r", "\x01", "\xff", "\xe2\x80\xae", ";", "\t"}) {
    for (const size_t length : {1, 50, 99, 100, 101, 5000}) {
      std::string text;
      for (size_t i = 0; i < length; ++i) text += filler;
      for (const std::string& sender : {text + "@pass.example", "joe@" + text, text}) {
        const std::string field = header("2001:db8:ffff:ffff:ffff:ffff:ffff:ffff", sender, text);
        CHECK(field.starts_with("Received-SPF: "));
        CHECK(("PREPEND " + field).size() <= kLongestAction);
        CHECK(std::all_of(field.begin(), field.end(), [](char c) { return c >= 0x20 && c < 0x7f; }));
        CHECK(field.find(" client-ip=\"2001:db8:ffff:ffff:ffff:ffff:ffff:ffff\";") != std::string::npos);
      }
    }
  }
}

TEST_CASE("spf check: 8.1 to 8.7 of RFC 7208: what each result leads to") {
  constexpr std::string_view kReject = "[score.incoming]\ndefer = 0\nreject = 20\n";
  const std::string fail = "client is not permitted to send mail for the sender's domain (SPF)";
  struct Case {
    std::string_view section, sender, want;
    int score;
    uint64_t hits, errors;
  };
  const std::string rejected = "REJECT 5.7.1 Message refused: " + fail + " (score)";
  const Case cases[] = {
      {"8.1: none", "joe@none.example", "DUNNO (none)", 2, 1, 0},
      {"8.2: neutral, no worse than none", "joe@neutral.example", "DUNNO (none)", 0, 0, 0},
      {"8.3: pass", "joe@pass.example", "DUNNO (none)", -2, 1, 0},
      {"8.4: fail", "joe@fail.example", rejected, 20, 1, 0},
      {"8.5: softfail alone does not reject", "joe@softfail.example", "DUNNO (none)", 8, 1, 0},
      {"8.6: temperror is neutral", "joe@dead.example", "DUNNO (none)", 0, 0, 1},
      {"8.7: permerror alone does not reject", "joe@broken.example", "DUNNO (none)", 2, 1, 0},
  };
  for (const Case& row : cases) {
    CAPTURE(row.section);
    test::EngineRig rig(std::string(kReject) + "[checks.sender_domain]\nincoming = 0\n[checks.spf]\n");
    rig.resolver.add(std::string(kZone) + "\nfail.example TXT v=spf1 -all");
    const Verdict verdict = rig.decide(test::request_lines({{"sender", std::string(row.sender)}}));
    CHECK(test::action_of(verdict) + " (" + std::string(cause_name(verdict.cause)) + ")" == row.want);
    CHECK(verdict.score == row.score);
    CHECK(rig.counted("spf").hits == row.hits);
    CHECK(rig.counted("spf").errors == row.errors);
  }
}

TEST_CASE("spf check: names of the client that cannot be looked up are held against nobody") {
  test::EngineRig rig("[checks.spf]\nincoming = { fail = 20, pass = -2 }\n");
  rig.resolver.add("ptr.example TXT v=spf1 ptr:example.org -all\nptr.example MX 10 mail.stranger.example\n"
                   "1.2.0.192.in-addr.arpa SERVFAIL");
  const Verdict verdict = rig.decide(test::request_lines({{"sender", "joe@ptr.example"}}));
  CHECK(verdict.score == 0);
  REQUIRE(verdict.findings.size() == 1);
  CHECK(verdict.findings[0].detail ==
        "names of the client that the record asks for cannot be looked up: ptr.example");
}
