// Figures: lists of numbers that add up, as text, and the histogram among them.
#include "policyd/report/figures.h"

#include <doctest/doctest.h>

#include "policyd/report/histogram.h"

namespace policyd {
namespace {

TEST_CASE("figures: lists of different lengths add up place by place") {
  Figures sum{1, 2};
  add(sum, {10, 0, 30});
  CHECK(sum == Figures{11, 2, 30});
  add(sum, {});
  CHECK(sum == Figures{11, 2, 30});
  CHECK(figure(sum, 2) == 30);
  CHECK(figure(sum, 3) == 0);
}

TEST_CASE("figures: as text, without zeros at the end, and back") {
  CHECK(format_figures({12, 0, 5, 0, 0}) == "12 0 5");
  CHECK(format_figures({0, 0}).empty());
  CHECK(parse_figures("12 0 5") == Figures{12, 0, 5});
  CHECK(parse_figures("").empty());
  CHECK(parse_figures("9007199254740991") == Figures{9007199254740991});
  CHECK(parse_figures("1 x 3") == Figures{1});
  CHECK(parse_figures("x").empty());
}

TEST_CASE("histogram: each bucket begins where it says, and the last has no end") {
  for (size_t bucket = 0; bucket < Histogram::kBuckets; ++bucket) {
    CAPTURE(bucket);
    const int64_t least = Histogram::least(bucket);
    CHECK(Histogram::bucket_of(Milliseconds{least}) == bucket);
    if (bucket > 0) CHECK(Histogram::bucket_of(Milliseconds{least - 1}) == bucket - 1);
  }
  CHECK(Histogram::least(27) == 12'288);
  CHECK(Histogram::bucket_of(Milliseconds{3'600'000}) == 27);
  CHECK(Histogram::bucket_of(Milliseconds{-1}) == 0);  // a clock that was set back
}

TEST_CASE("histogram: the median lies in the bucket that holds the one in the middle") {
  const auto median_of = [](std::initializer_list<int> times) {
    Histogram histogram;
    for (const int time : times) histogram.add(Milliseconds{time});
    return Histogram::median(histogram.counts());
  };
  CHECK_FALSE(median_of({}).has_value());
  CHECK(median_of({0}) == 0.5);
  CHECK(median_of({2, 2, 2}) == 2.5);
  CHECK(median_of({1, 2, 900}) == 2.5);
  CHECK(median_of({1, 2, 900, 900}) == 3);  // between the two in the middle, nearer to neither
  CHECK(median_of({20, 20, 20, 20, 20}) == 20);  // 16 to 24
  const std::array<int64_t, 2> of_another_length{0, 4};
  CHECK(Histogram::median(of_another_length) == 1.5);
}

}  // namespace
}  // namespace policyd
