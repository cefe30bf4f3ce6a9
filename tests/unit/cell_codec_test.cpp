// Counters as octets: they come back as they were, and what is not of the form is refused.
#include "policyd/store/cell_codec.h"

#include <doctest/doctest.h>

#include <limits>

namespace policyd {
namespace {

using Cells = Counters::Cells;

TEST_CASE("cell_codec: cells come back as they were") {
  const std::vector<Cells> cases{
      {},
      {0},
      {1, 60000, 1, 1795255200, 1},
      {-1, 63, 64, 127, 128, -64, -65},
      {std::numeric_limits<int64_t>::max(), std::numeric_limits<int64_t>::min(), (1LL << 53) - 1},
  };
  for (const Cells& cells : cases) {
    const auto decoded = decode_cells(encode_cells(cells));
    REQUIRE(decoded.has_value());
    CHECK(*decoded == cells);
  }
}

TEST_CASE("cell_codec: the form on disk does not change unnoticed") {
  CHECK(encode_cells({1, 60000, -2}) == std::string("\x01\x02\xc0\xa9\x07\x03"));
}

TEST_CASE("cell_codec: what is not of the form decodes to nothing") {
  struct Case {
    const char* label;
    std::string octets;
  };
  const std::vector<Case> cases{
      {"nothing", ""},
      {"another form", "\x02\x02"},
      {"a number that does not end", "\x01\x80"},
      {"a number of more than 64 bits", std::string("\x01") + std::string(9, '\xff') + "\x02"},
      {"a number of eleven octets", std::string("\x01") + std::string(10, '\x80') + std::string(1, '\0')},
  };
  for (const Case& c : cases) {
    CAPTURE(c.label);
    CHECK_FALSE(decode_cells(c.octets).has_value());
  }
}

}  // namespace
}  // namespace policyd
