// Durations and sizes as operators write them: `250ms`, `90s`, `15m`, `2h`, `30d`, `1w`; `512`, `10KB`, `2GB`.
//
// Pure. Parsing fails with an Error that quotes the text and says what is expected.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "shared/clock.h"
#include "shared/result.h"

namespace policyd {

// A whole number and one unit of ms, s, m, h, d, w; "0" needs none. At most 10 years, never negative.
Result<Milliseconds> parse_duration(std::string_view text);

// The shortest exact form with one unit: 90s, 15m, 2h, 1500ms. parse_duration reads it back.
std::string format_duration(Milliseconds duration);

// For people, two units at most: "3d 4h", "15m 2s", "0s".
std::string describe_duration(Milliseconds duration);

// Octets: a whole number and an optional unit B, KB, MB, GB, TB (powers of 1000) or KiB, MiB, GiB, TiB
// (powers of 1024). At most 2^53 - 1, the largest whole number that every store can count exactly.
Result<int64_t> parse_size(std::string_view text);

// The shortest exact form: 2GB, 1500KB, 512.
std::string format_size(int64_t octets);

}  // namespace policyd
