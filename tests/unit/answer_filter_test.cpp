// Answer filters: what they match, and what is none.
#include "shared/answer_filter.h"

#include <doctest/doctest.h>
#include <vector>

using namespace policyd;

TEST_CASE("answer_filter: what is matched") {
  struct Case {
    std::string_view filter;
    std::vector<std::string_view> matched, not_matched;
  };
  const Case cases[] = {
      {"", {"127.0.0.2", "127.255.255.254", "10.0.0.1"}, {"::1"}},
      {"127.0.0.2", {"127.0.0.2"}, {"127.0.0.3", "127.0.0.1", "127.0.1.2"}},
      {"127.0.0.[2..11;30]",
       {"127.0.0.2", "127.0.0.7", "127.0.0.11", "127.0.0.30"},
       {"127.0.0.1", "127.0.0.12", "127.0.0.29", "127.0.0.31", "127.0.1.2", "128.0.0.2"}},
      {"127.0.[0..255].[1..3]", {"127.0.0.1", "127.0.255.3"}, {"127.0.0.0", "127.0.9.4", "127.1.0.1"}},
      {"[127].0.0.[0;255]", {"127.0.0.0", "127.0.0.255"}, {"127.0.0.254"}},
      {"127.0.0.[5..5;5]", {"127.0.0.5"}, {"127.0.0.4", "127.0.0.6"}},
      {"127.000.00.02", {"127.0.0.2"}, {"127.0.0.3"}},
  };
  for (const Case& row : cases) {
    CAPTURE(row.filter);
    const auto filter = AnswerFilter::parse(row.filter);
    REQUIRE(filter.ok());
    CHECK(filter->to_string() == row.filter);
    for (const auto text : row.matched) CHECK_MESSAGE(filter->matches(*IpAddress::parse(text)), text);
    for (const auto text : row.not_matched) CHECK_MESSAGE(!filter->matches(*IpAddress::parse(text)), text);
  }
}

TEST_CASE("answer_filter: what is no filter") {
  struct Case {
    std::string_view filter, why;
  };
  const Case cases[] = {
      {"127.0.0", "four octets with dots between them are needed"},
      {"127.0.0.", "a number is missing"},
      {"127.0.0.2.", "something follows the fourth octet"},
      {"127.0.0.2*3", "something follows the fourth octet"},
      {"127.0.0.2 ", "something follows the fourth octet"},
      {" 127.0.0.2", "a number is missing"},
      {"127.0.0.-2", "a number is missing"},
      {"127.0.0.256", "\"256\" is more than 255"},
      {"127.0.0.99999999999999999999", "\"99999999999999999999\" is more than 255"},
      {"127.0.0.[]", "a number is missing"},
      {"127.0.0.[2;]", "a number is missing"},
      {"127.0.0.[2..]", "a number is missing"},
      {"127.0.0.[2..11;30", "a bracket is not closed, or something other than a number, \"..\" or ';' stands in it"},
      {"127.0.0.[2,3]", "a bracket is not closed, or something other than a number, \"..\" or ';' stands in it"},
      {"127.0.0.[3..2]", "3..2 is empty: it goes from the larger to the smaller"},
      {"127.0.0.2..4", "something follows the fourth octet"},
      {"128.0.0.2", "what a list answers begins with 127"},
      {"[127;128].0.0.2", "what a list answers begins with 127"},
      {"::1", "a number is missing"},
  };
  for (const Case& row : cases) {
    CAPTURE(row.filter);
    const auto filter = AnswerFilter::parse(row.filter);
    REQUIRE_FALSE(filter.ok());
    CHECK(filter.error().message == "\"" + std::string(row.filter) + "\" is not an answer filter: " +
                                        std::string(row.why) + "; expected e.g. \"127.0.0.[2..11;30]\"");
  }
}

TEST_CASE("answer_filter: filters that match the same are the same") {
  CHECK(*AnswerFilter::parse("127.0.0.[2..4]") == *AnswerFilter::parse("127.0.0.[4;2;3]"));
  CHECK_FALSE(*AnswerFilter::parse("127.0.0.[2..4]") == *AnswerFilter::parse("127.0.0.[2..5]"));
  CHECK_FALSE(*AnswerFilter::parse("127.[0..255].[0..255].[0..255]") == AnswerFilter());
  CHECK(AnswerFilter::parse("127.0.0.1")->is_exactly(*IpAddress::parse("127.0.0.1")));
  CHECK_FALSE(AnswerFilter::parse("127.0.0.[1;2]")->is_exactly(*IpAddress::parse("127.0.0.1")));
  CHECK_FALSE(AnswerFilter().is_exactly(*IpAddress::parse("127.0.0.1")));
}
