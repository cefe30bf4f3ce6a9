// The table of checks: what configuration, replies and docs take from it can be used there.
#include <algorithm>
#include <doctest/doctest.h>
#include <set>

#include "policyd/allow.h"
#include "policyd/checks/check.h"

using namespace policyd;

namespace {

bool is_key(std::string_view name) {
  return !name.empty() && std::all_of(name.begin(), name.end(),
                                      [](char c) { return (c >= 'a' && c <= 'z') || c == '_'; });
}

bool is_printable_line(std::string_view text) {
  return !text.empty() &&
         std::all_of(text.begin(), text.end(), [](char c) { return c >= 0x20 && c < 0x7f; });
}

}  // namespace

TEST_CASE("check_table: names are unique keys, and every check can find something") {
  std::set<std::string_view> names;
  for (const CheckRow& row : check_table()) {
    CAPTURE(row.spec.name);
    CHECK(is_key(row.spec.name));
    CHECK(names.insert(row.spec.name).second);
    CHECK(is_printable_line(row.spec.summary));
    CHECK((row.run != nullptr));
    CHECK_FALSE(row.spec.outcomes.empty());
    if (!row.spec.header_key.empty()) CHECK(is_key(row.spec.header_key));
  }
  CHECK(names.contains("reverse_dns"));
}

TEST_CASE("check_table: outcomes are unique keys with a reason that an SMTP reply can carry") {
  for (const CheckRow& row : check_table()) {
    CAPTURE(row.spec.name);
    std::set<std::string_view> names;
    for (const OutcomeSpec& outcome : row.spec.outcomes) {
      CAPTURE(outcome.name);
      CHECK(is_key(outcome.name));
      CHECK(names.insert(outcome.name).second);
      CHECK(is_printable_line(outcome.reason));
      CHECK(outcome.reason.size() < 100);
      // These are settings and a weight of the check itself.
      for (const std::string_view reserved : {"incoming", "outgoing", "block", "dry_run", "zones", "domains"}) {
        CHECK(outcome.name != reserved);
      }
      CHECK(outcome.name != row.spec.header_key);
    }
  }
}

TEST_CASE("check_table: the default weights") {
  std::string weights;
  for (const CheckSpec& spec : check_specs()) {
    for (const OutcomeSpec& outcome : spec.outcomes) {
      weights.append(spec.name).append(" ").append(outcome.name);
      weights +=
          " " + std::to_string(outcome.incoming) + "/" + std::to_string(outcome.outgoing) + "\n";
    }
  }
  CHECK(weights ==
        "reverse_dns missing 10/0\n"
        "reverse_dns unconfirmed 5/0\n"
        "reverse_dns generic 5/0\n"
        "ehlo syntax 10/0\n"
        "ehlo unqualified 10/0\n"
        "ehlo literal 5/0\n"
        "ehlo ours 20/0\n"
        "ehlo unresolvable 5/0\n"
        "ehlo mismatch 0/0\n"
        "sender syntax 10/0\n"
        "sender unqualified 10/0\n"
        "sender_domain no_domain 15/0\n"
        "sender_domain no_mail 10/0\n"
        "sender_domain null_mx 10/0\n"
        "sender_domain bogus_mx 10/0\n"
        "spf fail 20/0\n"
        "spf softfail 8/0\n"
        "spf neutral 0/0\n"
        "spf none 2/0\n"
        "spf pass -2/0\n"
        "spf temperror 0/0\n"
        "spf permerror 2/0\n"
        "dnsbl listed 10/0\n"
        "rhsbl listed 10/0\n"
        "batv valid -5/0\n"
        "batv missing 30/0\n"
        "batv expired 30/0\n"
        "batv forged 30/0\n"
        "recipient_domain nonexistent 0/5\n"
        "recipient_domain null_mx 0/5\n"
        "recipient_domain no_mail 0/5\n");
}

TEST_CASE("check_table: a set of checks has room for all, and a check of lists finds one thing") {
  CHECK(check_table().size() <= kMostChecks);
  for (const CheckSpec& spec : check_specs()) {
    if (spec.zones != ZoneKind::none) CHECK(spec.outcomes.size() == 1);
  }
}
