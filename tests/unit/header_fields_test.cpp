// Which header field a message is given with which reply.
#include "policyd/header_fields.h"

#include <doctest/doctest.h>

#include "policyd/checks/check.h"
#include "policyd/verdict.h"
#include "tests/support/captured_log.h"

namespace policyd {
namespace {

constexpr HeaderFields::Key kMessage = 7;

TEST_CASE("header_fields: each field once for each message, one at a time") {
  HeaderFields headers;
  CHECK(headers.next(kMessage, {}).empty());
  CHECK(headers.next(kMessage, {"X-A: 1", "X-B: 2", "X-C: 3"}) == "X-A: 1");
  CHECK(headers.next(8, {"X-A: 9"}) == "X-A: 9");
  CHECK(headers.next(kMessage, {}) == "X-B: 2");
  CHECK(headers.next(kMessage, {"X-A: 4", "X-D: 5", "X-C: 6"}) == "X-C: 3");  // of a name, the first
  CHECK(headers.next(kMessage, {}) == "X-D: 5");
  CHECK(headers.next(kMessage, {"X-A: 4"}).empty());
  CHECK(headers.next(8, {}).empty());
  CHECK(headers.next(9, {"X-A: 1"}) == "X-A: 1");
}

TEST_CASE("header_fields: what was not fetched by the end of a message is said once") {
  const test::CapturedLog log;
  HeaderFields headers;
  headers.end(kMessage);
  headers.next(kMessage, {"X-A: 1"});
  headers.end(kMessage);
  CHECK(log.lines().empty());
  for (const HeaderFields::Key message : {8, 9}) {
    headers.next(message, {"X-A: 1", "X-B: 2"});
    headers.end(message);
    CHECK(headers.next(message, {}).empty());
  }
  CHECK(log.lines() ==
        std::vector<std::string>{
            "warning: a message went without its header field X-B: Postfix takes one field in a reply and asked too "
            "few questions; have it ask in smtpd_data_restrictions too (policyd.toml(5)); this is said once"});
}

TEST_CASE("header_fields: bounded, the oldest messages go") {
  HeaderFields headers;
  const uint64_t most = HeaderFields::kMessages;
  for (uint64_t message = 1; message <= 2 * most; ++message) headers.next(message, {"X-A: 1", "X-B: 2"});
  uint64_t known = 0;
  for (uint64_t message = 1; message <= 2 * most; ++message) known += headers.next(message, {}).empty() ? 0 : 1;
  CHECK(known == most);
}

TEST_CASE("header_fields: the score, with what counted") {
  const CheckSpec& spec = check_table().front().spec;
  Verdict verdict;
  CHECK(score_field("X-Score", verdict) == "X-Score: 0");
  verdict.findings.push_back({&spec, nullptr, 0, false, "not done"});
  CHECK(score_field("X-Score", verdict) == "X-Score: 0");
  verdict.score = 8;
  verdict.findings.push_back({&spec, &spec.outcomes[0], 10, true, ""});
  verdict.findings.push_back({&spec, &spec.outcomes[1], 5, false, ""});
  verdict.findings.push_back({&spec, &spec.outcomes[2], -2, true, ""});
  CHECK(score_field("X-Score", verdict) == "X-Score: 8 (reverse_dns.missing=10, reverse_dns.generic=-2)");
}

}  // namespace
}  // namespace policyd
