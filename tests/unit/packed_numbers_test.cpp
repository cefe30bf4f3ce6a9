// What the charge script keeps, read back; and what is damaged, refused.
#include "policyd/store/packed_numbers.h"

#include <doctest/doctest.h>

#include <cstring>
#include <limits>
#include <string>
#include <vector>

using namespace policyd;

namespace {

std::string packed(const std::vector<double>& numbers) {
  std::string octets(numbers.size() * sizeof(double), '\0');
  std::memcpy(octets.data(), numbers.data(), octets.size());
  return octets;
}

}  // namespace

TEST_CASE("packed_numbers: limits are meter, maximum and window") {
  CHECK(pack_limits({}).empty());
  CHECK(pack_limits({{Meter::messages, 60, Milliseconds(60'000)}, {Meter::bytes, (int64_t{1} << 53) - 1, Milliseconds(1)}}) ==
        packed({1, 60, 60'000, 3, 9007199254740991, 1}));
}

TEST_CASE("packed_numbers: counters are read without their totals") {
  const std::string octets = packed({1, 60'000, 15, 2, 100, 5, 101, 10, 3, 3'600'000, 7, 1, 9, 7});
  const auto counters = unpack_counters(octets);
  REQUIRE(counters);
  CHECK(counters->cells() == Counters::Cells{1, 60'000, 2, 100, 5, 101, 10, 3, 3'600'000, 1, 9, 7});
  for (size_t length = 1; length < octets.size(); ++length) {
    if (length == 64) continue;  // the first counter alone
    CHECK_FALSE(unpack_counters(octets.substr(0, length)));
  }
}

TEST_CASE("packed_numbers: no octets are no counters, other octets are none of ours") {
  REQUIRE(unpack_counters(""));
  CHECK(unpack_counters("")->cells().empty());
  const double nan = std::numeric_limits<double>::quiet_NaN();
  for (const auto& octets : {std::string("hello"), packed({1, 60'000, 1}), packed({1, 60'000, 1, 1e15, 1, 1}),
                             packed({1, 60'000, 1, 1, nan, 1}), packed({1, 60'000, 1, 1, 1.5, 1}),
                             packed({1, 60'000, 1, 1, -1, 1}), packed({9, 60'000, 1, 1, 1, 1})}) {
    CHECK_FALSE(unpack_counters(octets));
  }
}
