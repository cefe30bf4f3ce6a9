// What the charge script keeps, read back; and what is damaged, refused.
#include "policyd/store/message_pack.h"

#include <doctest/doctest.h>

#include <string>

using namespace policyd;

namespace {
std::string octets(std::initializer_list<int> list) {
  std::string text;
  for (const int octet : list) text.push_back(static_cast<char>(octet));
  return text;
}
}  // namespace

TEST_CASE("message_pack: limits are a flat array of meter, maximum and window") {
  CHECK(pack_limits({}) == octets({0x90}));
  CHECK(pack_limits({{Meter::messages, 60, Milliseconds(100)}}) == octets({0x93, 1, 60, 100}));
  CHECK(pack_limits({{Meter::bytes, 1 << 20, Milliseconds(60'000)}}) ==
        octets({0x93, 3, 0xd3, 0, 0, 0, 0, 0, 0x10, 0, 0, 0xd3, 0, 0, 0, 0, 0, 0, 0xea, 0x60}));
}

TEST_CASE("message_pack: counters are read in every width, without total and empty buckets") {
  const std::string text =
      octets({0x92, 0x97, 1, 0xcd, 0xea, 0x60, 5, 10, 0, 0xcc, 200, 5, 0x95, 3, 0xce, 0, 0x36, 0xee, 0x80, 1, 0xd3, 0,
              0, 0, 0, 0, 0, 0x01, 0x00, 1});
  const auto counters = unpack_counters(text);
  REQUIRE(counters);
  CHECK(counters->cells() == Counters::Cells{1, 60'000, 1, 200, 5, 3, 3'600'000, 1, 256, 1});
  for (size_t length = 1; length < text.size(); ++length) CHECK_FALSE(unpack_counters(text.substr(0, length)));
}

TEST_CASE("message_pack: no text is no counters, other text is none of ours") {
  REQUIRE(unpack_counters(""));
  CHECK(unpack_counters("")->cells().empty());
  for (const auto& text : {std::string("hello"), octets({0x91, 0x92, 1, 2}), octets({0xdd, 0xff, 0xff, 0xff, 0xff}),
                           octets({0x91, 0x93, 9, 1, 1}), octets({0x90, 0x00})}) {
    CHECK_FALSE(unpack_counters(text));
  }
}
