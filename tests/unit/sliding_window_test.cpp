// Sliding windows against an exact log of what happened, on a clock that the test turns.
#include "policyd/store/sliding_window.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <deque>
#include <random>

#include "tests/support/fake_clock.h"

namespace policyd {
namespace {

using test::FakeClock;

Limits messages(int64_t maximum, Milliseconds window) { return {{Meter::messages, maximum, window}}; }

// Tests and, if it passes, counts.
bool charge(Counters& counters, const Limits& limits, const Amounts& amounts, WallTime now) {
  if (!counters.test(limits, amounts, now).passed) return false;
  counters.add(limits, amounts, now, now);
  return true;
}

constexpr Amounts kMessage{1, 0, 0};
constexpr Milliseconds kMinute{60'000};

// The widths include some that 60 does not divide, and the largest that can be configured.
const std::vector<Milliseconds> kWindows{
    Milliseconds{1'000},     Milliseconds{7'001},      kMinute,
    Milliseconds{3'600'000}, Milliseconds{86'400'000}, Milliseconds{366LL * 86'400'000}};

TEST_CASE("sliding_window: no interval of the window's length lets more than N through") {
  std::mt19937_64 random(20261121);
  for (const Milliseconds window : kWindows) {
    CAPTURE(window.count());
    constexpr int64_t kMaximum = 50;
    const Limits limits = messages(kMaximum, window);
    Counters counters;
    FakeClock clock;
    std::deque<std::pair<WallTime, int64_t>> passed;  // the exact log of one window
    int64_t in_window = 0, most = 0;
    std::exponential_distribution<double> pause(150.0 / static_cast<double>(window.count()));
    for (int event = 0; event < 5'000; ++event) {
      // Bursts, a steady flow at three times the rate, and now and then a silence.
      const bool burst = random() % 4 == 0;
      clock.advance(burst ? Milliseconds{0} : Milliseconds(static_cast<int64_t>(pause(random))));
      if (random() % 500 == 0) clock.advance(window / 2);
      const auto amount = static_cast<int64_t>(random() % 3 + 1);
      if (!charge(counters, limits, {amount, 0, 0}, clock.wall())) continue;
      passed.emplace_back(clock.wall(), amount);
      in_window += amount;
      while (passed.front().first + window < clock.wall()) {
        in_window -= passed.front().second;
        passed.pop_front();
      }
      most = std::max(most, in_window);
    }
    CHECK(most == kMaximum);  // never more, and the limit was reached
  }
}

TEST_CASE("sliding_window: a silent account has its full N after window + window/60") {
  std::mt19937_64 random(7);
  for (const Milliseconds window : kWindows) {
    CAPTURE(window.count());
    const Limits limits = messages(60, window);
    for (int round = 0; round < 50; ++round) {
      FakeClock clock(FakeClock::kStart + Milliseconds(static_cast<int64_t>(random() % 1'000'000)));
      Counters counters;
      while (charge(counters, limits, kMessage, clock.wall())) {
      }
      // Rounded up: the last interval may end within a millisecond.
      clock.advance(window + Milliseconds((window.count() + kBucketsPerWindow - 1) / kBucketsPerWindow));
      CHECK(counters.empty(clock.wall()));
      CHECK(counters.test(limits, {60, 0, 0}, clock.wall()).passed);
    }
  }
}

TEST_CASE("sliding_window: at retry_after it passes, a millisecond before it does not") {
  std::mt19937_64 random(11);
  for (int round = 0; round < 300; ++round) {
    const Limits limits{{Meter::messages, 20, kMinute}, {Meter::messages, 60, Milliseconds{601'003}}};
    Counters counters;
    FakeClock clock;
    ChargeResult result;
    Amounts amounts{};
    do {
      clock.advance(Milliseconds(static_cast<int64_t>(random() % 4'000)));
      amounts = {static_cast<int64_t>(random() % 5 + 1), 0, 0};
      result = counters.test(limits, amounts, clock.wall());
      if (result.passed) counters.add(limits, amounts, clock.wall(), clock.wall());
    } while (result.passed);
    REQUIRE(result.retry_after.has_value());
    const WallTime then = clock.wall() + *result.retry_after;
    CHECK(counters.test(limits, amounts, then).passed);
    CHECK_FALSE(counters.test(limits, amounts, then - Milliseconds{1}).passed);
  }
}

TEST_CASE("sliding_window: what passes and what is told of what does not") {
  const FakeClock clock;
  const Limits limits{
      {Meter::messages, 10, kMinute}, {Meter::recipients, 5, kMinute}, {Meter::messages, 10, 2 * kMinute}};
  Counters counters;
  counters.add(limits, {8, 4, 0}, clock.wall(), clock.wall());
  struct Case {
    const char* label;
    Amounts amounts;
    bool passed;
    const char* limit;
    bool ever;
  };
  const std::vector<Case> cases{
      {"up to the maximum", {2, 1, 0}, true, "", true},
      {"a meter without limit", {0, 0, 1'000'000}, true, "", true},
      {"the limit that takes longest is named", {3, 0, 0}, false, "10/2m", true},
      {"one of several meters", {1, 2, 0}, false, "5/1m", true},
      {"more than the limit allows at all", {0, 6, 0}, false, "5/1m", false},
      {"giving back always passes", {-8, -4, 0}, true, "", true},
  };
  for (const Case& c : cases) {
    CAPTURE(c.label);
    const ChargeResult result = counters.test(limits, c.amounts, clock.wall());
    CHECK(result.passed == c.passed);
    CHECK((result.limit ? result.limit->to_string() : "") == c.limit);
    if (!c.passed) CHECK(result.retry_after.has_value() == c.ever);
  }
}

TEST_CASE("sliding_window: a limit of 0 lets nothing through, ever") {
  const FakeClock clock;
  const ChargeResult result = Counters().test(messages(0, kMinute), kMessage, clock.wall());
  CHECK_FALSE(result.passed);
  CHECK_FALSE(result.retry_after.has_value());
}

TEST_CASE("sliding_window: what is given back can be used again") {
  const FakeClock clock;
  const Limits limits = messages(10, kMinute);
  Counters counters;
  counters.add(limits, {10, 0, 0}, clock.wall(), clock.wall());
  counters.add(limits, {-4, 0, 0}, clock.wall(), clock.wall());
  CHECK(counters.usage(clock.wall()).at(0).used == 6);
  CHECK(counters.test(limits, {4, 0, 0}, clock.wall()).passed);
  CHECK_FALSE(counters.test(limits, {5, 0, 0}, clock.wall()).passed);
}

TEST_CASE("sliding_window: giving back takes the oldest first, and never goes below zero") {
  FakeClock clock;
  const Limits limits = messages(10, kMinute);
  Counters counters;
  counters.add(limits, {3, 0, 0}, clock.wall(), clock.wall());
  clock.advance(kMinute / 2);
  const WallTime since = clock.wall();
  counters.add(limits, {2, 0, 0}, clock.wall(), clock.wall());
  counters.add(limits, {-2, 0, 0}, clock.wall(), since);
  CHECK(counters.usage(clock.wall()).at(0).used == 3);
  clock.advance(kMinute / 2 + kMinute / 60);
  CHECK(counters.usage(clock.wall()).at(0).used == 2);  // counts rather longer than shorter
  counters.add(limits, {-99, 0, 0}, clock.wall(), since);
  CHECK(counters.empty(clock.wall()));
  CHECK(counters.cells().empty());
}

TEST_CASE("sliding_window: a window that has forgotten a charge gives nothing of it back") {
  FakeClock clock;
  const Limits limits{{Meter::messages, 10, kMinute}, {Meter::messages, 99, 60 * kMinute}};
  Counters counters;
  const WallTime since = clock.wall();
  counters.add(limits, {5, 0, 0}, clock.wall(), clock.wall());
  clock.advance(2 * kMinute);
  counters.add(limits, {7, 0, 0}, clock.wall(), clock.wall());
  counters.add(limits, {-5, 0, 0}, clock.wall(), since);
  const auto usage = counters.usage(clock.wall());
  REQUIRE(usage.size() == 2);
  CHECK(usage[0].used == 7);
  CHECK(usage[1].used == 7);
}

TEST_CASE("sliding_window: counters of windows that the limits do not know go on") {
  FakeClock clock;
  Counters counters;
  counters.add(messages(10, kMinute), {3, 0, 0}, clock.wall(), clock.wall());
  counters.add(messages(10, 2 * kMinute), {4, 0, 0}, clock.wall(), clock.wall());
  const auto usage = counters.usage(clock.wall());
  REQUIRE(usage.size() == 2);
  CHECK(usage[0].window == kMinute);
  CHECK(usage[0].used == 3);
  CHECK(usage[1].used == 4);
}

TEST_CASE("sliding_window: a clock that was set back a little still counts, a time far ahead does not") {
  FakeClock clock;
  const Limits limits = messages(1, kMinute);
  Counters counters;
  counters.add(limits, kMessage, clock.wall(), clock.wall());
  CHECK_FALSE(counters.test(limits, kMessage, clock.wall() - kMinute / 2).passed);
  CHECK(counters.test(limits, kMessage, clock.wall() - 3 * kMinute).passed);
}

TEST_CASE("sliding_window: what is added within a bucket is added in place") {
  FakeClock clock;
  const Limits limits{{Meter::messages, 99, kMinute}, {Meter::bytes, 999, 60 * kMinute}};
  Counters counters;
  counters.add(limits, {1, 0, 100}, clock.wall(), clock.wall());
  const Counters::Cells once = counters.cells();
  const int64_t* const where = counters.cells().data();
  counters.add(limits, {2, 5, 50}, clock.wall(), clock.wall());
  CHECK(counters.cells().data() == where);
  Counters::Cells expected = once;
  expected.at(4) += 2;
  expected.at(9) += 50;
  CHECK(counters.cells() == expected);
}

TEST_CASE("sliding_window: in place or made anew, the cells are the same") {
  std::mt19937_64 random(3);
  const Limits limits{
      {Meter::messages, 99, kMinute}, {Meter::recipients, 99, 3 * kMinute}, {Meter::messages, 99, Milliseconds{7'001}}};
  Counters counters, anew;
  FakeClock clock;
  for (int event = 0; event < 3'000; ++event) {
    clock.advance(Milliseconds(static_cast<int64_t>(random() % 300)));
    if (random() % 300 == 0) clock.advance(kMinute);
    const Amounts amounts{static_cast<int64_t>(random() % 3), static_cast<int64_t>(random() % 3), 0};
    counters.add(limits, amounts, clock.wall(), clock.wall());
    // Giving back nothing of a meter that has no limit keeps it out of the short way.
    anew.add(limits, {amounts[0], amounts[1], -1}, clock.wall(), clock.wall());
    REQUIRE(counters.cells() == anew.cells());
  }
}

TEST_CASE("sliding_window: the cells of one counter stay bounded") {
  FakeClock clock;
  const Limits limits = messages(1'000'000, kMinute);
  Counters counters;
  for (int second = 0; second < 1'000; ++second) {
    counters.add(limits, kMessage, clock.wall(), clock.wall());
    clock.advance(Milliseconds{1'000});
  }
  CHECK(counters.cells().size() <= 3 + 2 * 61);
}

TEST_CASE("sliding_window: cells from outside are taken only if they make sense") {
  struct Case {
    const char* label;
    Counters::Cells cells;
    bool sound;
  };
  const std::vector<Case> cases{
      {"nothing", {}, true},
      {"one counter", {1, 60'000, 1, 100, 3}, true},
      {"two counters", {1, 60'000, 2, 100, 3, 101, 1, 3, 1'000, 1, 5, 900}, true},
      {"cut in the header", {1, 60'000}, false},
      {"cut in the buckets", {1, 60'000, 2, 100, 3}, false},
      {"an unknown meter", {9, 60'000, 1, 100, 3}, false},
      {"a window of nothing", {1, 0, 1, 100, 3}, false},
      {"a window of more than a leap year", {1, 366LL * 86'400'000 + 1, 1, 100, 3}, false},
      {"a negative number of buckets", {1, 60'000, -1}, false},
      {"a number of buckets that overflows", {1, 60'000, INT64_MAX, 100, 3}, false},
      {"buckets out of order", {1, 60'000, 2, 101, 3, 100, 1}, false},
      {"the same bucket twice", {1, 60'000, 2, 100, 3, 100, 1}, false},
      {"a negative count", {1, 60'000, 1, 100, -3}, false},
      {"a count that no limit can have", {1, 60'000, 1, 100, 1LL << 53}, false},
  };
  for (const Case& c : cases) {
    CAPTURE(c.label);
    const auto counters = Counters::from_cells(c.cells);
    CHECK(counters.has_value() == c.sound);
    if (counters) CHECK(counters->cells() == c.cells);
  }
}

}  // namespace
}  // namespace policyd
