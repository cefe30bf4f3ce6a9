// The busiest accounts: whoever sends much is among them, however many others there are.
#include "policyd/busy_accounts.h"

#include <doctest/doctest.h>

#include <algorithm>

#include "tests/support/fake_clock.h"

using namespace policyd;
using Names = std::vector<std::string>;

TEST_CASE("busy accounts: the busiest first, the rest by name") {
  BusyAccounts busy(1);
  test::FakeClock clock;
  CHECK(busy.busiest(10, clock.steady()).empty());
  for (int i = 0; i < 3; ++i) busy.note("joe@example.com", clock.steady());
  for (int i = 0; i < 5; ++i) busy.note("ann@example.com", clock.steady());
  busy.note("zoe@example.com", clock.steady());
  busy.note("bob@example.com", clock.steady());
  CHECK(busy.busiest(10, clock.steady()) ==
        Names{"ann@example.com", "joe@example.com", "bob@example.com", "zoe@example.com"});
  CHECK(busy.busiest(1, clock.steady()) == Names{"ann@example.com"});
}

TEST_CASE("busy accounts: what was long ago counts less") {
  BusyAccounts busy(1);
  test::FakeClock clock;
  for (int i = 0; i < 10; ++i) busy.note("then@example.com", clock.steady());
  clock.advance(2 * BusyAccounts::kHalfLife);  // 10 are 2.5
  for (int i = 0; i < 3; ++i) busy.note("now@example.com", clock.steady());
  CHECK(busy.busiest(2, clock.steady()) == Names{"now@example.com", "then@example.com"});
}

TEST_CASE("busy accounts: among a million others those who send more are found") {
  BusyAccounts busy(1);
  test::FakeClock clock;
  for (int i = 0; i < 1'000'000; ++i) {
    busy.note("user" + std::to_string(i), clock.steady());
    if (i % 100 == 0) busy.note("busy" + std::to_string(i / 100 % 5), clock.steady());
  }
  Names found = busy.busiest(5, clock.steady());
  std::sort(found.begin(), found.end());
  CHECK(found == Names{"busy0", "busy1", "busy2", "busy3", "busy4"});
  CHECK(busy.busiest(10'000, clock.steady()).size() <= BusyAccounts::kSets * BusyAccounts::kWays);
}
