// The spf check: which outcome a result is, and what is an error.
#include <doctest/doctest.h>

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
