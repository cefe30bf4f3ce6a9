#include "tests/support/spf_cases.h"

#include "tests/support/fake_resolver.h"

namespace policyd::test {

SpfQuery spf_query(const SpfCase& row) {
  SpfQuery query;
  const auto client = IpAddress::parse(row.client);
  REQUIRE_MESSAGE(client, row.client);
  query.client = *client;
  query.sender = row.sender;
  query.helo = row.helo;
  query.receiver = "mx.receiver.test";
  query.now = 1'795'255'200;
  return query;
}

std::string spf_said(std::string_view zone, const SpfCase& row, SpfOutcome* whole) {
  std::string said[2];
  for (const bool later : {false, true}) {
    FakeResolver resolver(zone);
    resolver.set_later(later);
    const auto task = check_spf(resolver, spf_query(row));
    const SpfOutcome outcome = resolver.run(task);
    said[later] = spf_result_name(outcome.result);
    if (!outcome.explanation.empty()) said[later] += ": " + outcome.explanation;
    const bool error = outcome.result == SpfResult::temperror || outcome.result == SpfResult::permerror;
    CHECK((!outcome.problem.empty()) == (error || outcome.result == SpfResult::none));
    CHECK(outcome.helo == row.sender.empty());
    if (error) CHECK(outcome.mechanism.empty());
    if (whole) *whole = outcome;
  }
  CHECK(said[0] == said[1]);
  return said[0];
}

void check_spf_cases(std::string_view zone, const std::vector<SpfCase>& cases) {
  for (const SpfCase& row : cases) {
    CAPTURE(row.what);
    CAPTURE(row.client);
    CAPTURE(row.sender);
    CHECK(spf_said(zone, row) == row.want);
  }
}

void check_spf_records(std::string_view zone, const std::vector<RecordCase>& cases) {
  for (const RecordCase& row : cases) {
    CAPTURE(row.record);
    const std::string whole = "example.com TXT " + std::string(row.record) + "\n" + std::string(zone);
    CHECK(spf_said(whole, {row.record, row.client, "joe@example.com", row.want}) == row.want);
  }
}

}  // namespace policyd::test
