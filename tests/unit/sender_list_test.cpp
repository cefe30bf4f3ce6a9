// Which envelope senders an account may use.
#include "shared/sender_list.h"

#include <doctest/doctest.h>

#include <vector>

namespace policyd {
namespace {

TEST_CASE("sender list: what an entry allows") {
  struct Case {
    const char* list;
    const char* sender;
    const char* login;
    bool allowed;
  };
  const std::vector<Case> cases{
      {"none", "ann@anywhere.example", "joe@example.com", true},
      {"", "ann@anywhere.example", "joe@example.com", true},
      {"own", "joe@example.com", "joe@example.com", true},
      {"own", "ann@example.com", "joe@example.com", true},
      {"own", "joe@sub.example.com", "joe@example.com", false},
      {"own", "joe@example.org", "joe@example.com", false},
      {"own", "joe", "joe", true},
      {"own", "joe@example.com", "joe", false},
      {"own", "joe@example.com", "", true},
      {"own", "", "joe@example.com", true},
      {"Example.ORG", "ann@example.org", "joe", true},
      {"@example.org", "ann@example.org", "joe", true},
      {"example.org.", "ann@example.org", "joe", true},
      {"example.org", "ann@sub.example.org", "joe", false},
      {".example.org", "ann@sub.example.org", "joe", true},
      {".example.org", "ann@example.org", "joe", false},
      {"ann@example.org", "ann@example.org", "joe", true},
      {"ann@example.org", "bob@example.org", "joe", false},
      {"ann@example.org", "", "joe", true},
      {"ann@example.org", "ann@example.org", "", true},
      {"ann@example.org", "bob@example.org", "", false},
      {"own, ann@example.org example.net", "x@example.net", "joe@example.com", true},
      {"own, ann@example.org example.net", "x@example.edu", "joe@example.com", false},
  };
  for (const Case& c : cases) {
    CAPTURE(c.list);
    CAPTURE(c.sender);
    CAPTURE(c.login);
    const auto senders = SenderList::parse(c.list);
    REQUIRE(senders.ok());
    CHECK(senders->allows(c.sender, c.login) == c.allowed);
    const auto again = SenderList::parse(senders->to_string());
    REQUIRE(again.ok());
    CHECK(*again == *senders);
  }
}

TEST_CASE("sender list: what is no entry is quoted") {
  const std::string expected = "; expected own, an address or a domain, e.g. own, example.com";
  struct Case {
    std::string list, want;
  };
  const std::vector<Case> cases{
      {"own, joe", "\"joe\" is none: its domain is not fully qualified" + expected},
      {"joe@", "\"joe@\" is none: its domain is not fully qualified" + expected},
      {"joe@localhost", "\"joe@localhost\" is none: its domain is not fully qualified" + expected},
      {"*@example.org, a@b_c!.example", "\"a@b_c!.example\" is none: its domain is not fully qualified" + expected},
      {"joe@.example.org", "\"joe@.example.org\" is none: its domain begins with a dot" + expected},
      {std::string(321, 'x'), "\"" + std::string(256, 'x') + "\"... is longer than 320 octets" + expected},
  };
  for (const Case& c : cases) {
    const auto senders = SenderList::parse(c.list);
    REQUIRE_MESSAGE(!senders.ok(), c.list);
    CHECK(senders.error().message == c.want);
  }
}

TEST_CASE("sender list: an entry stands once") {
  const auto senders = SenderList::parse("own own, OWN @example.com example.com.");
  REQUIRE(senders.ok());
  CHECK(senders->to_string() == "own, example.com");
}

}  // namespace
}  // namespace policyd
