// sender_domain: whether mail could be sent back.
#include <doctest/doctest.h>

#include "tests/support/make_request.h"

using namespace policyd;

namespace {

constexpr std::string_view kZone = R"(
  good.example MX 10 mx.good.example
  mx.good.example A 198.51.100.1
  v6.example MX 10 mx6.good.example
  mx6.good.example AAAA 2001:db8::1
  address.example A 198.51.100.2
  null.example MX 0 .
  text.example TXT hello
  loop.example MX 10 localhost
  localhost A 127.0.0.1
  localhost AAAA ::1
  private.example MX 10 a.private.example
  private.example MX 20 b.private.example
  a.private.example A 10.0.0.1
  b.private.example AAAA fd00::1
  zero.example MX 10 zero.mx.example
  zero.mx.example A 0.0.0.0
  dangling.example MX 10 none.mx.example
  own.example A 192.168.1.1
  one.example MX 10 localhost
  one.example MX 20 mx.good.example
  servfail.example SERVFAIL
  slow.example TIMEOUT MX
  slow.example A 198.51.100.2
  lost.example MX 10 localhost
  lost.example MX 10 slow.mx.example
  slow.mx.example TIMEOUT
  half.example TIMEOUT AAAA
)";

std::string judge(std::string_view sender, test::FakeResolver& resolver) {
  return observe("sender_domain", "protocol_state=RCPT\nsender=" + std::string(sender), Config{}, resolver);
}

}  // namespace

TEST_CASE("sender_domain: domains that take mail, and those that do not") {
  struct Case {
    std::string_view sender, want;
  };
  const Case cases[] = {
      {"joe@good.example", ""},
      {"joe@GOOD.example.", ""},
      {"joe@v6.example", ""},
      {"joe@address.example", ""},
      {"joe@one.example", ""},
      {"joe@none.example", "no_domain (no such domain: none.example)"},
      {"joe@\xcc\x81.example", "no_domain (no such domain: \xcc\x81.example)"},
      {"joe@text.example", "no_mail (no MX and no address: text.example)"},
      {"joe@null.example", "null_mx (null MX (RFC 7505): null.example)"},
      {"joe@loop.example", "bogus_mx (loop.example: localhost is 127.0.0.1)"},
      {"joe@private.example", "bogus_mx (private.example: a.private.example is 10.0.0.1)"},
      {"joe@zero.example", "bogus_mx (zero.example: zero.mx.example is 0.0.0.0)"},
      {"joe@dangling.example", "bogus_mx (dangling.example: no MX has an address)"},
      {"joe@own.example", "bogus_mx (own.example: own.example is 192.168.1.1)"},
      {"joe@servfail.example", "error: the DNS servers cannot tell (SERVFAIL, REFUSED): servfail.example"},
      {"joe@slow.example", "error: no DNS answer in time: slow.example"},
      {"joe@lost.example", "error: no DNS answer in time: slow.mx.example"},
      {"joe@half.example", "error: no DNS answer in time: half.example"},
  };
  for (const Case& row : cases) {
    CAPTURE(row.sender);
    for (const bool later : {false, true}) {
      test::FakeResolver resolver(kZone);
      resolver.set_later(later);
      CHECK(judge(row.sender, resolver) == row.want);
    }
  }
}

TEST_CASE("sender_domain: what is no domain is not looked up") {
  for (const std::string_view sender :
       {"", "joe", "joe@localhost", "joe@[192.0.2.1]", "joe@", "joe@a..b", "joe@192.0.2.1", "joe@a b.example"}) {
    CAPTURE(sender);
    test::FakeResolver resolver(kZone);
    CHECK(judge(sender, resolver) == "");
    CHECK(resolver.asked().empty());
  }
}

TEST_CASE("sender_domain: two rounds of questions, and at most ten mail servers") {
  test::FakeResolver resolver;
  for (int i = 0; i < 30; ++i) resolver.add("many.example MX 10 mx" + std::to_string(i) + ".example");
  CHECK(judge("joe@many.example", resolver) == "");  // one of the others may be usable
  CHECK(resolver.asked().size() == 1 + 2 * 10);
}
