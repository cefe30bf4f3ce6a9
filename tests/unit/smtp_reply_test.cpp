// SMTP replies as operators write them: what is taken, and what Postfix would misread.
#include "shared/smtp_reply.h"

#include <doctest/doctest.h>

using namespace policyd;

namespace {

constexpr const char* kExpected = "; expected e.g. \"550 5.7.1 Mail refused by local policy\"";

std::string wrong(const std::string& text, const std::string& reason) {
  return "\"" + text + "\" is not an SMTP reply: " + reason + kExpected;
}

}  // namespace

TEST_CASE("smtp_reply: code, enhanced code and text") {
  struct Case {
    std::string text, want;
  };
  const Case cases[] = {
      {"550 5.7.1 Mail refused", "550 5.7.1 Mail refused"},
      {"535 5.7.8 Error: authentication failed", "535 5.7.8 Error: authentication failed"},
      {"451 Try again later", "451 4.7.1 Try again later"},
      {"550  5.7.1   Mail  refused ", "550 5.7.1 Mail  refused"},
      {"550 5 mails are enough", "550 5.7.1 5 mails are enough"},
      {"550 192.0.2.1 is blocked", "550 5.7.1 192.0.2.1 is blocked"},
      {"554 5.999.999 x", "554 5.999.999 x"},
  };
  for (const Case& c : cases) {
    const auto reply = SmtpReply::parse(c.text);
    REQUIRE_MESSAGE(reply.ok(), c.text);
    CHECK(reply->to_string() == c.want);
    CHECK(*SmtpReply::parse(c.want) == *reply);
  }
  CHECK(SmtpReply::parse("451 x")->temporary());
  CHECK(!SmtpReply::parse("550 x")->temporary());
}

TEST_CASE("smtp_reply: errors name what is wrong") {
  const std::string no_code = "it begins with a code of three digits";
  const std::string no_refusal = "the code is 4xx (try again) or 5xx (refused)";
  const std::string no_text = "the text is missing, and Postfix would send that of another reply";
  struct Case {
    std::string text, reason;
  };
  const Case cases[] = {
      {"", no_code},
      {"REJECT no", no_code},
      {"5500 no", no_code},
      {"55 no", no_code},
      {"250 fine", no_refusal},
      {"650 no", no_refusal},
      {"550-no", "it is a single line, with a space after the code"},
      {"550", no_text},
      {"550 ", no_text},
      {"550 5.7.1", no_text},
      {"550 5.7 no", "\"5.7\" is not an enhanced status code"},
      {"550 5.7.1000 no", "\"5.7.1000\" is not an enhanced status code"},
      {"550 4.7.1 no", "the enhanced status code 4.7.1 does not match the code 550"},
      {"451 2.0.0 no", "the enhanced status code 2.0.0 does not match the code 451"},
  };
  for (const Case& c : cases) {
    const auto reply = SmtpReply::parse(c.text);
    REQUIRE_MESSAGE(!reply.ok(), c.text);
    CHECK(reply.error().message == wrong(c.text, c.reason));
  }
}

TEST_CASE("smtp_reply: the text is printable ASCII and fits a line") {
  CHECK(SmtpReply::parse("550 5.7.1 a\nb").error().message ==
        wrong("550 5.7.1 a\\x0ab", "the text is printable ASCII only"));
  CHECK(SmtpReply::parse("550 5.7.1 \xc3\xb6").error().message ==
        wrong("550 5.7.1 \\xc3\\xb6", "the text is printable ASCII only"));
  CHECK(SmtpReply::parse("550 5.7.1 " + std::string(500, 'x')).ok());
  CHECK(SmtpReply::parse("550 5.7.1 " + std::string(501, 'x')).error().message ==
        "\"550 5.7.1 " + std::string(246, 'x') +
            "\"... is not an SMTP reply: it is longer than 510 octets" + kExpected);
}

TEST_CASE("smtp_reply: a custom reply may be a text alone") {
  const SmtpReply base{451, "4.7.0", "Later"};
  CHECK(SmtpReply::parse("Ask your postmaster", base)->to_string() ==
        "451 4.7.0 Ask your postmaster");
  CHECK(SmtpReply::parse("550 Gone", base)->to_string() == "550 5.7.1 Gone");
  CHECK(SmtpReply::parse(" 550 5.1.1 Gone ", base)->to_string() == "550 5.1.1 Gone");
  CHECK(SmtpReply::parse("250 Gone", base).error().message ==
        wrong("250 Gone", "the code is 4xx (try again) or 5xx (refused)"));
  CHECK(SmtpReply::parse("5.7.1 Gone", base).error().message ==
        wrong("5.7.1 Gone", "the code of three digits is missing before the enhanced status code"));
  CHECK(SmtpReply::parse(" ", base).error().message ==
        wrong(" ", "the text is missing, and Postfix would send that of another reply"));
}
