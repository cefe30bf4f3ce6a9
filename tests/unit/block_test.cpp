// Blocks: their fields both ways, slips of the pen, and times.
#include "shared/block.h"

#include <doctest/doctest.h>

using namespace policyd;
using namespace std::chrono_literals;

namespace {

using Fields = std::map<std::string, std::string>;

const BlockTarget kJoe{BlockType::email, "joe@example.com"};

}  // namespace

TEST_CASE("block: fields read back, and empty ones are left out") {
  Block block;
  block.target = kJoe;
  block.direction = BlockDirection::out;
  block.description = "abnormal volume";
  block.reply = "550 5.7.1 Ask your postmaster";
  block.by = "alice";
  block.created = "2026-11-21T10:00:00Z";
  const Fields fields = block.fields();
  CHECK(fields == Fields{{"direction", "out"},
                         {"description", "abnormal volume"},
                         {"reply", "550 5.7.1 Ask your postmaster"},
                         {"by", "alice"},
                         {"created", "2026-11-21T10:00:00Z"}});
  std::string warning;
  const Block again = Block::from_fields(kJoe, fields, &warning);
  CHECK(again.fields() == fields);
  CHECK(again.target == kJoe);
  CHECK(warning == "");
  CHECK(Block{}.fields() == Fields{{"direction", "both"}});
}

TEST_CASE("block: a hash with any field at all is a block") {
  std::string warning;
  const Block block = Block::from_fields(kJoe, {{"x", "y"}}, &warning);
  CHECK(block.direction == BlockDirection::both);
  CHECK(block.fields() == Fields{{"direction", "both"}});
  CHECK(!block.expires);
  CHECK(warning == "");
}

TEST_CASE("block: a slip of the pen is told and does not lift the block") {
  const std::string no_direction =
      R"(email block "joe@example.com": direction "sideways" is none of in, out, both; it blocks both)";
  const std::string no_reply =
      R"(email block "joe@example.com": reply "250 fine" is not an SMTP reply: the code is 4xx (try )"
      R"(again) or 5xx (refused); expected e.g. "550 5.7.1 Mail refused by local policy"; the )"
      R"(configured reply is sent)";
  struct Case {
    Fields fields;
    BlockDirection direction;
    std::string reply, warning;
  };
  const Case cases[] = {
      {{{"direction", " OUT "}}, BlockDirection::out, "", ""},
      {{{"direction", ""}}, BlockDirection::both, "", ""},
      {{{"direction", "sideways"}}, BlockDirection::both, "", no_direction},
      {{{"reply", "Ask us"}}, BlockDirection::both, "Ask us", ""},
      {{{"reply", "250 fine"}}, BlockDirection::both, "", no_reply},
      {{{"direction", "sideways"}, {"reply", "250 fine"}},
       BlockDirection::both,
       "",
       no_direction + "; " + no_reply},
  };
  for (const Case& c : cases) {
    std::string warning;
    const Block block = Block::from_fields(kJoe, c.fields, &warning);
    CHECK(block.direction == c.direction);
    CHECK(block.reply == c.reply);
    CHECK(warning == c.warning);
  }
  CHECK(Block::from_fields(kJoe, {{"direction", "x"}}, nullptr).direction == BlockDirection::both);
  std::string warning;
  const Block block = Block::from_fields(kJoe, {{"description", std::string(100'000, 'x')}}, &warning);
  CHECK(block.description == std::string(1'000, 'x'));
  CHECK(warning == "email block \"joe@example.com\": description is longer than 1000 octets and was cut");
}

TEST_CASE("block: the names of the directions") {
  for (const auto direction : {BlockDirection::both, BlockDirection::in, BlockDirection::out}) {
    CHECK(parse_block_direction(block_direction_name(direction)) == direction);
  }
  CHECK(!parse_block_direction("incoming"));
}

TEST_CASE("time: RFC 3339, both ways") {
  struct Case {
    std::string text;
    int64_t milliseconds;
    std::string want;
  };
  const Case cases[] = {
      {"1970-01-01T00:00:00Z", 0, "1970-01-01T00:00:00Z"},
      {"2026-11-21T10:00:00Z", 1795255200000, "2026-11-21T10:00:00Z"},
      {"2026-11-21t10:00:00z", 1795255200000, "2026-11-21T10:00:00Z"},
      {"2026-11-21 11:00:00+01:00", 1795255200000, "2026-11-21T10:00:00Z"},
      {"2026-11-21T04:30:00-05:30", 1795255200000, "2026-11-21T10:00:00Z"},
      {"2026-11-21T10:00:00.1239Z", 1795255200123, "2026-11-21T10:00:00Z"},
      {"2026-11-21T10:00:00.5Z", 1795255200500, "2026-11-21T10:00:00Z"},
      {"2024-02-29T23:59:60Z", 1709251200000, "2024-03-01T00:00:00Z"},
      {"1969-12-31T23:59:59Z", -1000, "1969-12-31T23:59:59Z"},
  };
  for (const Case& c : cases) {
    const auto time = parse_time(c.text);
    REQUIRE_MESSAGE(time.has_value(), c.text);
    CHECK(time->time_since_epoch().count() == c.milliseconds);
    CHECK(format_time(*time) == c.want);
  }
}

TEST_CASE("time: what is no time is refused") {
  for (const std::string text :
       {"", "now", "2026-11-21", "2026-11-21T10:00Z", "2026-11-21T10:00:00", "2026-13-01T10:00:00Z",
        "2026-02-29T10:00:00Z", "2026-11-21T24:00:00Z", "2026-11-21T10:60:00Z",
        "2026-11-21T10:00:61Z", "2026-11-21T10:00:00.Z", "2026-11-21T10:00:00Zx",
        "2026-11-21T10:00:00+1:00", "26-11-21T10:00:00Z", "2026-11-21T10:00:00 Z",
        "-026-11-21T10:00:00Z"}) {
    CHECK_MESSAGE(!parse_time(text), text);
  }
}
