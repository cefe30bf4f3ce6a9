// Claims of one node: for a time, and a bounded number of them.
#include "policyd/store/claim_table.h"

#include <doctest/doctest.h>

#include "tests/support/fake_clock.h"

using namespace policyd;
using std::chrono::hours;

TEST_CASE("claim table: what is claimed is taken until its time is over") {
  ClaimTable table;
  test::FakeClock clock;
  CHECK(table.claim("a", hours{1}, clock.wall()));
  CHECK_FALSE(table.claim("a", hours{1}, clock.wall()));
  CHECK(table.claim("b", hours{1}, clock.wall()));
  CHECK(table.taken("a", clock.wall()));
  clock.advance(hours{1});
  CHECK_FALSE(table.taken("a", clock.wall()));
  CHECK(table.claim("a", hours{1}, clock.wall()));
  CHECK(table.size() == 2);
}

TEST_CASE("claim table: it is bounded, and those that run out first go") {
  ClaimTable table;
  test::FakeClock clock;
  for (size_t i = 0; i < ClaimTable::kMost; ++i) {
    const Milliseconds duration{static_cast<int64_t>(1000 + i)};
    REQUIRE(table.claim("short" + std::to_string(i), duration, clock.wall()));
  }
  CHECK(table.claim("one more", hours{1}, clock.wall()));
  CHECK(table.size() <= ClaimTable::kMost / 2 + 1);
  CHECK_FALSE(table.taken("short0", clock.wall()));
  CHECK(table.taken("short" + std::to_string(ClaimTable::kMost - 1), clock.wall()));
  // All the same: as many go.
  ClaimTable same;
  for (size_t i = 0; i <= ClaimTable::kMost; ++i) REQUIRE(same.claim(std::to_string(i), hours{1}, clock.wall()));
  CHECK(same.size() == ClaimTable::kMost / 2 + 1);
  // What has run out goes before anything else.
  clock.advance(hours{1});
  for (size_t i = 0; i <= ClaimTable::kMost / 2; ++i) {
    REQUIRE(same.claim("new" + std::to_string(i), hours{1}, clock.wall()));
  }
  CHECK(same.size() == ClaimTable::kMost / 2 + 1);
}
