// Targets of HTTP requests: paths and queries, taken apart and decoded.
#include "policyd/admin/target.h"

#include <doctest/doctest.h>

using namespace policyd;
using Path = std::vector<std::string>;
using Query = std::map<std::string, std::string>;

TEST_CASE("target: path and query are taken apart, then decoded") {
  struct Case {
    std::string_view text;
    Path path;
    Query query;
  };
  const Case cases[] = {
      {"/", {}, {}},
      {"/v1/status", {"v1", "status"}, {}},
      {"/v1/status/", {"v1", "status"}, {}},
      {"//v1//status", {"v1", "status"}, {}},
      {"/v1/blocks/client/192.0.2.0%2F24", {"v1", "blocks", "client", "192.0.2.0/24"}, {}},
      {"/a%3Fb?limit=5", {"a?b"}, {{"limit", "5"}}},
      {"/a?x=%20&y&x=2&=3", {"a"}, {{"x", "2"}, {"y", ""}, {"", "3"}}},
      {"/a?", {"a"}, {}},
      {"/a+b", {"a+b"}, {}},
      {"", {}, {}},
  };
  for (const Case& one : cases) {
    CAPTURE(one.text);
    const auto target = HttpTarget::parse(one.text);
    REQUIRE(target.ok());
    CHECK(target->path == one.path);
    CHECK(target->query == one.query);
  }
}

TEST_CASE("target: what is not percent-encoded is refused") {
  for (const std::string_view text : {"/a%", "/a%2", "/a%zz", "/a%-1", "/?x=%g0", "/?%="}) {
    CAPTURE(text);
    CHECK_FALSE(HttpTarget::parse(text).ok());
  }
  CHECK(HttpTarget::parse("a%2").error().message ==
        "\"a%2\" is not percent-encoded: two hexadecimal digits follow each '%'");
}

TEST_CASE("target: a path matches a pattern segment by segment") {
  CHECK(match_path("/v1/blocks/{type}/{target}", {"v1", "blocks", "email", "a@b"}) ==
        Path{"email", "a@b"});
  CHECK(match_path("/v1/status", {"v1", "status"}) == Path{});
  CHECK_FALSE(match_path("/v1/status", {"v1"}));
  CHECK_FALSE(match_path("/v1/status", {"v1", "status", "x"}));
  CHECK_FALSE(match_path("/v1/status", {"v1", "blocks"}));
}
