// Durations and sizes: both ways, and the texts of their errors.
#include "shared/duration.h"

#include <doctest/doctest.h>

using namespace policyd;
using namespace std::chrono_literals;

TEST_CASE("duration: a whole number and a unit") {
  struct Case {
    std::string text;
    Milliseconds want;
  };
  const Case cases[] = {
      {"0", 0ms},
      {"0s", 0s},
      {"250ms", 250ms},
      {"90s", 90s},
      {"15m", 15min},
      {"2h", 2h},
      {"30d", 30 * 24h},
      {"1w", 7 * 24h},
      {"007s", 7s},
      {"3650d", 3650 * 24h},
      {"315360000s", 315360000s},
  };
  for (const Case& c : cases) {
    const auto parsed = parse_duration(c.text);
    REQUIRE_MESSAGE(parsed.ok(), c.text);
    CHECK(*parsed == c.want);
  }
}

TEST_CASE("duration: errors quote the text and say what is expected") {
  constexpr const char* kNotOne =
      " is not a duration: expected a whole number and one of ms, s, m, h, d, w, e.g. 90s or 15m";
  for (const std::string text :
       {"", "15", "m", "-1s", "+1s", "1.5h", "1h30m", "1 h", " 1h", "1h ", "1M", "1y", "0x1s"}) {
    const auto parsed = parse_duration(text);
    REQUIRE_MESSAGE(!parsed.ok(), text);
    CHECK(parsed.error().message == "\"" + text + "\"" + kNotOne);
  }
  for (const std::string text : {"3651d", "99999999999999999999s", "9223372036854775807ms",
                                 "9223372036854775807w", "522w"}) {
    const auto parsed = parse_duration(text);
    REQUIRE_MESSAGE(!parsed.ok(), text);
    CHECK(parsed.error().message ==
          "\"" + text + "\" is too long: a duration is at most 10 years (3650d)");
  }
}

TEST_CASE("duration: format_duration gives the largest unit that is exact, and reads back") {
  struct Case {
    Milliseconds duration;
    std::string want;
  };
  const Case cases[] = {
      {0ms, "0s"},  {1ms, "1ms"}, {1500ms, "1500ms"}, {1s, "1s"},
      {90s, "90s"}, {60s, "1m"},  {15min, "15m"},     {120min, "2h"},
      {24h, "1d"},  {36h, "36h"}, {30 * 24h, "30d"},  {14 * 24h, "2w"},
  };
  for (const Case& c : cases) {
    CHECK(format_duration(c.duration) == c.want);
    CHECK(*parse_duration(c.want) == c.duration);
  }
}

TEST_CASE("duration: describe_duration gives two units at most") {
  struct Case {
    Milliseconds duration;
    std::string want;
  };
  const Case cases[] = {
      {0ms, "0s"},
      {-5s, "0s"},
      {250ms, "250ms"},
      {1999ms, "1s"},
      {15min + 2s, "15m 2s"},
      {15min, "15m"},
      {76h, "3d 4h"},
      {76h + 59min, "3d 4h"},
      {24h + 5min, "1d"},
      {30 * 24h, "30d"},
      {1h + 1s, "1h"},
  };
  for (const Case& c : cases) CHECK(describe_duration(c.duration) == c.want);
}

TEST_CASE("size: a whole number and perhaps a unit") {
  struct Case {
    std::string text;
    int64_t want;
  };
  const Case cases[] = {
      {"0", 0},
      {"512", 512},
      {"512B", 512},
      {"10KB", 10'000},
      {"10KiB", 10'240},
      {"2GB", 2'000'000'000},
      {"2gb", 2'000'000'000},
      {"1TiB", 1LL << 40},
      {"9007199254740991", 9007199254740991},
      {"8191TiB", 8191LL << 40},
  };
  for (const Case& c : cases) {
    const auto parsed = parse_size(c.text);
    REQUIRE_MESSAGE(parsed.ok(), c.text);
    CHECK(*parsed == c.want);
  }
}

TEST_CASE("size: errors quote the text and say what is expected") {
  for (const std::string text : {"", "GB", "-1", "1.5GB", "2 GB", "2G", "2XB", "1B2"}) {
    const auto parsed = parse_size(text);
    REQUIRE_MESSAGE(!parsed.ok(), text);
    CHECK(
        parsed.error().message ==
        "\"" + text +
            "\" is not a size: expected a whole number, alone or with one of KB, MB, GB, TB, KiB, "
            "MiB, GiB, TiB, e.g. 512 or 2GB");
  }
  for (const std::string text : {"9007199254740992", "8192TiB", "99999999999999999999"}) {
    const auto parsed = parse_size(text);
    REQUIRE_MESSAGE(!parsed.ok(), text);
    CHECK(parsed.error().message ==
          "\"" + text + "\" is too large: a size is at most 9007199254740991 octets (2^53 - 1)");
  }
}

TEST_CASE("size: format_size gives the shortest exact form, and reads back") {
  struct Case {
    int64_t size;
    std::string want;
  };
  const Case cases[] = {
      {0, "0"},
      {1, "1"},
      {512, "512"},
      {1000, "1KB"},
      {1024, "1KiB"},
      {1025, "1025"},
      {1'500'000, "1500KB"},
      {2'000'000'000, "2GB"},
      {1LL << 30, "1GiB"},
      {9007199254740991, "9007199254740991"},
  };
  for (const Case& c : cases) {
    CHECK(format_size(c.size) == c.want);
    CHECK(*parse_size(c.want) == c.size);
  }
}
