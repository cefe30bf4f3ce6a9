// What the charge script keeps, read back; and what is damaged, refused.
#include "policyd/store/packed_numbers.h"

#include <doctest/doctest.h>

#include <cstring>
#include <limits>
#include <string>
#include <vector>

using namespace policyd;

namespace {

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();
constexpr double kMinute = 60'000, kHour = 3'600'000;
constexpr double kFrom = 1'795'255'200'000;  // a bucket of both begins

std::string packed(const std::vector<double>& numbers, std::string_view form = "policyd\5") {
  std::string octets(form);
  octets += "<limits>";
  for (const double number : numbers) append_number(octets, number);
  return octets;
}

// Two counters: of messages in a minute, with two older buckets, and of octets in an hour, with none; and a network,
// which is no number.
constexpr size_t kAdded = 4, kNewest = 14;  // of messages
std::vector<double> state() {
  const double bucket = kFrom / 1000;
  return {kFrom, kFrom + 1000, kNaN, 2, 2, 300, 48, -1, 2, 1, kMinute, 3, kHour, 10, 3, 400, 400, 2, 0,
          bucket - 9, 3, bucket - 1, 4};
}

std::vector<double> state_with(size_t index, double number) {
  std::vector<double> numbers = state();
  numbers.at(index) = number;
  return numbers;
}

}  // namespace

TEST_CASE("packed_numbers: lists of limits are known by their maxima too") {
  constexpr Milliseconds kTick{1};
  std::string octets;
  append_limits(octets, {{Meter::messages, 60, Milliseconds(60'000)}, {Meter::bytes, (int64_t{1} << 53) - 1, kTick}},
                {{Meter::spam, 9, kTick}});
  const std::string whole = packed({1, 60'000, 3, 1, 7, 1, 60, 9007199254740991, 9});
  CHECK(octets.substr(0, 8) == whole.substr(0, 8));
  CHECK(octets.substr(16) == whole.substr(16));
  std::string other;
  append_limits(other, {{Meter::messages, 61, Milliseconds(60'000)}, {Meter::bytes, (int64_t{1} << 53) - 1, kTick}},
                {{Meter::spam, 9, kTick}});
  CHECK(other.substr(0, 8) == octets.substr(0, 8));
  CHECK(other.substr(8, 8) != octets.substr(8, 8));
}

TEST_CASE("packed_numbers: counters are read with their newest bucket, without their totals") {
  const int64_t bucket = static_cast<int64_t>(kFrom) / 1000, hour_bucket = static_cast<int64_t>(kFrom) / 60'000;
  const Counters::Cells cells{1, 60'000, 3, bucket - 9, 3, bucket - 1, 4, bucket, 5, 3, 3'600'000, 1, hour_bucket, 700};
  const std::string octets = packed(state());
  REQUIRE(unpack_counters(octets));
  CHECK(unpack_counters(octets)->cells() == cells);
  for (size_t length = 1; length < octets.size(); ++length) CHECK_FALSE(unpack_counters(octets.substr(0, length)));
}

TEST_CASE("packed_numbers: counters that the last limits did not know, and empty ones") {
  std::vector<double> numbers = state();
  numbers[kAdded] = numbers[kNewest] = 0;  // nothing in the newest bucket of messages
  numbers.insert(numbers.end(), {2, 1000, 9, 1, 7, 9});
  const int64_t bucket = static_cast<int64_t>(kFrom) / 1000, hour_bucket = static_cast<int64_t>(kFrom) / 60'000;
  const auto counters = unpack_counters(packed(numbers));
  REQUIRE(counters);
  CHECK(counters->cells() == Counters::Cells{1, 60'000, 2, bucket - 9, 3, bucket - 1, 4, 3, 3'600'000, 1, hour_bucket,
                                             700, 2, 1000, 1, 7, 9});
  const auto none = unpack_counters(packed({kFrom, kFrom + 1000, 0, 1, 0, 0, 1, 1, kMinute, 0, 0, 0}));
  REQUIRE(none);
  CHECK(none->cells().empty());
}

TEST_CASE("packed_numbers: buckets that a clock set back left in the future stand in order") {
  const double bucket = kFrom / 1000;
  const auto counters =
      unpack_counters(packed({kFrom, kFrom + 1000, 0, 1, 1, 9, 1, 1, kMinute, 8, 4, 2, bucket, 1, bucket + 2, 3}));
  REQUIRE(counters);
  const auto at = static_cast<int64_t>(bucket);
  CHECK(counters->cells() == Counters::Cells{1, 60'000, 2, at, 6, at + 2, 3});
}

TEST_CASE("packed_numbers: no octets are no counters, other octets are none of ours") {
  REQUIRE(unpack_counters(""));
  CHECK(unpack_counters("")->cells().empty());
  CHECK_FALSE(unpack_counters("hello"));
  CHECK_FALSE(unpack_counters("policyd\5"));
  CHECK_FALSE(unpack_counters(packed(state(), "")));
  CHECK_FALSE(unpack_counters(packed(state(), "policyd\4")));
  CHECK_FALSE(unpack_counters(packed({1, 60'000, 15, 2, 100, 5, 101, 10}, "")));
  struct Case {
    const char* label;
    size_t index;
    double number;
  };
  const std::vector<Case> cases{
      {"more meters than octets", 3, 1e15},   {"fewer meters than counters have", 3, 1},
      {"no number of what was added", 4, -1}, {"more counters than octets", 8, 1e15},
      {"no number of counters", 8, kNaN},     {"an unknown meter", 9, 9},
      {"no window", 10, 0},                   {"a window of a century", 10, 3e12},
      {"a negative count", kNewest, -1},      {"a part of a count", kNewest, 1.5},
      {"more buckets than octets", 17, 9},    {"a bucket out of order", 19, 1e12},
      {"an empty bucket", 20, 0},             {"no count", 20, kNaN},
  };
  for (const Case& c : cases) {
    CAPTURE(c.label);
    CHECK_FALSE(unpack_counters(packed(state_with(c.index, c.number))));
  }
}
