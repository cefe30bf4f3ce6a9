// recipient_domain: whether the recipient's domain can take mail; which outcomes make an invalid recipient.
#include <doctest/doctest.h>

#include "tests/support/engine_rig.h"
#include "tests/support/make_request.h"

using namespace policyd;

namespace {

constexpr std::string_view kZone = R"(
  good.example MX 10 mx.good.example
  mx.good.example A 198.51.100.1
  address.example AAAA 2001:db8::1
  inner.example MX 10 mx.inner.example
  mx.inner.example A 10.0.0.1
  dangling.example MX 10 none.example
  null.example MX 0 .
  text.example TXT hello
  servfail.example SERVFAIL
  slow.example TIMEOUT
)";

std::string judge(std::string_view recipient, test::FakeResolver& resolver) {
  return observe("recipient_domain", "protocol_state=RCPT\nrecipient=" + std::string(recipient), Config{}, resolver);
}

}  // namespace

TEST_CASE("recipient_domain: domains that take mail, and those that do not") {
  struct Case {
    std::string_view recipient, want;
  };
  const Case cases[] = {
      {"bob@good.example", ""},
      {"bob@Good.Example.", ""},
      {"bob@address.example", ""},
      {"bob@inner.example", ""},
      {"bob@dangling.example", ""},
      {"bob@none.example", "nonexistent (no such domain: none.example)"},
      {"bob@null.example", "null_mx (null MX (RFC 7505): null.example)"},
      {"bob@text.example", "no_mail (no MX and no address: text.example)"},
      {"bob@servfail.example", "error: the DNS servers cannot tell (SERVFAIL, REFUSED): servfail.example"},
      {"bob@slow.example", "error: no DNS answer in time: slow.example"},
  };
  for (const Case& row : cases) {
    CAPTURE(row.recipient);
    test::FakeResolver resolver(kZone);
    CHECK(judge(row.recipient, resolver) == row.want);
  }
}

TEST_CASE("recipient_domain: what is no domain is not looked up") {
  for (const std::string_view recipient : {"", "bob", "bob@localhost", "bob@[192.0.2.1]", "bob@a..b"}) {
    CAPTURE(recipient);
    test::FakeResolver resolver(kZone);
    CHECK(judge(recipient, resolver) == "");
    CHECK(resolver.asked().empty());
  }
}

TEST_CASE("recipient_domain: every outcome makes an invalid recipient, and no other check's does") {
  for (const CheckSpec& spec : check_specs()) {
    for (const OutcomeSpec& outcome : spec.outcomes) {
      CAPTURE(outcome.name);
      CHECK(outcome.invalid_recipient == (spec.name == "recipient_domain"));
    }
  }
}

TEST_CASE("recipient_domain: a slip of the pen alone is not refused, and recipients are told apart") {
  test::EngineRig rig("[checks.recipient_domain]\noutgoing = 5\n");
  rig.resolver.add(kZone);
  const auto score_of = [&rig](const std::string& recipient) {
    const Verdict verdict = rig.decide(test::outgoing_lines({{"recipient", recipient}}));
    CHECK(verdict.action == Action::dunno);
    return verdict.score;
  };
  CHECK(score_of("bob@good.example") == 0);
  CHECK(score_of("bob@none.example") == 5);
  CHECK(score_of("ann@none.example") == 5);
  CHECK(score_of("bob@null.example") == 5);
  CHECK(score_of("ann@good.example") == 0);
}
