// batv: what bounces to domains with keys are found to be.
#include <doctest/doctest.h>

#include "shared/batv.h"
#include "tests/support/engine_rig.h"
#include "tests/support/make_request.h"
#include "tests/support/test_config.h"

using namespace policyd;

namespace {

constexpr std::string_view kConfig = R"(
[[checks.batv.domains]]
domain = "Test.ex."
keys = ["1:secret", "8:another"]

[[checks.batv.domains]]
domain = "other.ex"
keys = ["1:another"]
lifetime = "30d"
)";

std::string tagged(std::string_view secret, std::string_view stamp, std::string_view address) {
  return "prvs=" + std::string(stamp) + batv_signature(secret, stamp, address) + "=" + std::string(address);
}

// Said of a bounce on day 20001 (modulo 1000: 001).
std::string judge(std::string_view recipient, std::string_view sender = "", std::string_view config = kConfig) {
  test::FakeClock clock(WallTime{std::chrono::days{20001} + std::chrono::hours{12}});
  test::FakeResolver resolver;
  Zones zones(resolver, clock);
  std::string attributes = "protocol_state=RCPT\nclient_address=192.0.2.1\nsender=";
  attributes.append(sender).append("\nrecipient=").append(recipient);
  std::string said = observe("batv", attributes, *test::config_from(config), resolver, zones, clock);
  CHECK(resolver.asked().empty());
  return said;
}

}  // namespace

TEST_CASE("batv: bounces are valid, missing, expired or forged") {
  struct Case {
    std::string recipient;
    std::string_view outcome, why;
  };
  const Case cases[] = {
      {"prvs=100341aeef=userx@test.ex", "valid", "signed with key number 1"},
      {"prvs=100341AEEF=userx@test.ex", "valid", "signed with key number 1"},
      {"PRVS=100341AEEF=userx@test.ex", "valid", "signed with key number 1"},
      {"prvs=100341aeef=USERX@TEST.EX", "valid", "signed with key number 1"},
      {"prvs=100341aeef=userx@Test.ex.", "valid", "signed with key number 1"},
      {tagged("secret", "1001", "Joe.X@test.ex"), "valid", "signed with key number 1"},
      {tagged("secret", "1008", "joe+news@test.ex"), "valid", "signed with key number 1"},
      {tagged("secret", "1008", "srs0=hash=ts=example.org=ann@test.ex"), "valid", "signed with key number 1"},
      {tagged("another", "8002", "joe@test.ex"), "valid", "signed with key number 8"},
      {tagged("another", "1031", "joe@other.ex"), "valid", "signed with key number 1"},
      {"userx@test.ex", "missing", "no tag"},
      {"joe+prvs=100341aeef=userx@test.ex", "missing", "no tag"},
      {"btv1==003abcdef==joe@test.ex", "missing", "no tag"},
      {"notsrs0=hash@test.ex", "missing", "no tag"},
      {"prvs=100092054d=userx@test.ex", "expired", "the day 000 has passed"},
      {"prvs=1993d72d2a=userx@test.ex", "expired", "the day 993 has passed"},
      {tagged("secret", "1009", "joe@test.ex"), "expired", "the day 009 has passed"},
      {"prvs=100341aeee=userx@test.ex", "forged", "not signed with key number 1"},
      {"prvs=100341aeef=usery@test.ex", "forged", "not signed with key number 1"},
      {"prvs=1000ffffff=userx@test.ex", "forged", "not signed with key number 1"},
      {tagged("secret", "1003", "userx@other.ex"), "forged", "not signed with key number 1"},
      {"prvs=700341aeef=userx@test.ex", "forged", "there is no key number 7"},
      {"prvs=userx@test.ex", "forged", "the tag is malformed"},
      {"prvs=10034aeef=userx@test.ex", "forged", "the tag is malformed"},
  };
  for (const Case& row : cases) {
    CAPTURE(row.recipient);
    const std::string said = judge(row.recipient);
    const std::string shown(row.recipient.ends_with('.') ? row.recipient.substr(0, row.recipient.size() - 1)
                                                          : row.recipient);
    CHECK(said == std::string(row.outcome) + " (" + std::string(row.why) + ": " + shown + ")");
  }
}

TEST_CASE("batv: what need not be tagged") {
  CHECK(judge("userx@test.ex", "ann@example.org") == "");
  CHECK(judge("userx@sub.test.ex") == "");
  CHECK(judge("userx@example.org") == "");
  CHECK(judge("prvs=100341aeee=userx@example.org") == "");
  CHECK(judge("userx") == "");
  CHECK(judge("") == "");
  CHECK(judge("Postmaster@test.ex") == "");
  CHECK(judge("SRS0=hash=ts=example.org=ann@test.ex") == "");
  CHECK(judge("userx@test.ex", "", "") == "");
}

TEST_CASE("batv: only a domain with keys has it applied, and then a bounce without a tag is refused") {
  const std::string lines = test::request_lines({{"sender", ""}, {"recipient", "joe@test.ex"}});
  test::EngineRig without;
  CHECK(without.action(lines) == "DUNNO");
  test::EngineRig with(kConfig);
  CHECK(with.action(lines) ==
        "REJECT 5.7.1 Message refused: bounce of mail that was not sent from here (no BATV tag)");
  CHECK(with.action(test::request_lines({{"recipient", "joe@test.ex"}})) == "DUNNO");
  // The same client with the same sender, to other recipients: nothing is used again. It is day 778.
  const auto bounce_to = [&with](const std::string& recipient) {
    return with.action(test::request_lines({{"sender", ""}, {"recipient", recipient}}));
  };
  CHECK(bounce_to(tagged("secret", "1780", "joe@test.ex")) == "DUNNO");
  CHECK(bounce_to(tagged("secret", "1770", "joe@test.ex")) ==
        "REJECT 5.7.1 Message refused: bounce of mail that was sent from here too long ago (BATV tag has expired)");
  CHECK(bounce_to(tagged("wrong", "1780", "joe@test.ex")) ==
        "REJECT 5.7.1 Message refused: bounce of mail that was not sent from here (BATV tag is forged)");
}
