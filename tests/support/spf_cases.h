// Tables of SPF cases over a zone: who asks, and what comes out.
#pragma once

#include <doctest/doctest.h>

#include <string>
#include <string_view>
#include <vector>

#include "policyd/spf/spf.h"
#include "tests/support/fake_resolver.h"

namespace policyd::test {

struct SpfCase {
  std::string_view what;
  std::string_view client;
  std::string_view sender;
  std::string_view want;  // the result; with an explanation "fail: TEXT"
  std::string_view helo = "mail.example.com";
};

inline SpfQuery spf_query(const SpfCase& row) {
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

// What came out, as `want` has it. However the answers come, at once or in rounds, it is the same; what is true of
// every outcome is checked too.
inline std::string spf_said(std::string_view zone, const SpfCase& row, SpfOutcome* whole = nullptr) {
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

inline void check_spf_cases(std::string_view zone, const std::vector<SpfCase>& cases) {
  for (const SpfCase& row : cases) {
    CAPTURE(row.what);
    CAPTURE(row.client);
    CAPTURE(row.sender);
    CHECK(spf_said(zone, row) == row.want);
  }
}

// A record alone, at example.com, with `zone` beside it.
struct RecordCase {
  std::string_view record;
  std::string_view client;
  std::string_view want;
};
inline void check_spf_records(std::string_view zone, const std::vector<RecordCase>& cases) {
  for (const RecordCase& row : cases) {
    CAPTURE(row.record);
    const std::string whole = "example.com TXT " + std::string(row.record) + "\n" + std::string(zone);
    CHECK(spf_said(whole, {row.record, row.client, "joe@example.com", row.want}) == row.want);
  }
}

}  // namespace policyd::test
