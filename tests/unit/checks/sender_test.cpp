// sender: what can be an envelope sender.
#include <doctest/doctest.h>

#include "tests/support/make_request.h"

using namespace policyd;

TEST_CASE("sender: little is wrong in a local part, more in a domain") {
  const std::string local(320 - 12, 'l');
  const std::string longest = local + "@example.com";
  struct Case {
    std::string sender;
    std::string want;
  };
  const std::vector<Case> cases = {
      {"", ""},
      {"joe@example.com", ""},
      {"joe@example.com.", ""},
      {"SRS0=ab=cd=example.org=joe@example.com", ""},
      {"prvs=0123abcdef=user@s.example", ""},
      {"a b@s.example", ""},
      {"a\"b\\c@s.example", ""},
      {"a@b@s.example", ""},
      {".joe..@s.example", ""},
      {"user@[192.0.2.1]", ""},
      {"user@[IPv6:2001:db8::1]", ""},
      {"j\xc3\xb6rg@b\xc3\xbc"
       "cher.example",
       ""},
      {longest, ""},
      {"l" + longest, "syntax (longer than 320 octets: " + std::string(200, 'l') + ")"},
      {"joe", "unqualified (no domain: joe)"},
      {"joe@localhost", "unqualified (no dot in the domain: joe@localhost)"},
      {"joe@localhost.", "unqualified (no dot in the domain: joe@localhost.)"},
      {"@example.com", "syntax (no local part: @example.com)"},
      {"joe@", "syntax (the domain is empty: joe@)"},
      {"joe@.", "syntax (the domain is empty: joe@.)"},
      {"joe@example..com", "syntax (the domain has an empty label: joe@example..com)"},
      {"joe@exam ple.com",
       "syntax (the domain holds a character that no host name has: joe@exam ple.com)"},
      {"joe@192.0.2.1", "syntax (the domain ends in a number, as an address does: joe@192.0.2.1)"},
      {"joe@[192.0.2]", "syntax (the domain is not an address literal: joe@[192.0.2])"},
      {"joe\x01@example.com", "syntax (a control character: joe\x01@example.com)"},
      {"joe\x7f@example.com", "syntax (a control character: joe\x7f@example.com)"},
      {"joe\r", "syntax (a control character: joe\r)"},
      {"j\xf6rg@example.com", "syntax (not valid UTF-8: j\xf6rg@example.com)"},
  };
  for (const Case& row : cases) {
    CAPTURE(row.sender);
    CHECK(observe("sender", "protocol_state=RCPT\nsender=" + row.sender) == row.want);
  }
}
