// Text of strangers made safe: escaping, case, hashing, and the domain of an address.
#include "shared/text.h"

#include <doctest/doctest.h>

using namespace policyd;
using namespace std::string_literals;

TEST_CASE("text: to_lower changes ASCII letters and nothing else") {
  CHECK(to_lower("") == "");
  CHECK(to_lower("Joe@EXAMPLE.com") == "joe@example.com");
  CHECK(to_lower("@[`{AZaz09") == "@[`{azaz09");
  CHECK(to_lower("J\xc3\x96RG\xff\0Z"s) == "j\xc3\x96rg\xff\0z"s);
}

TEST_CASE("text: of the octets those of ASCII alone are letters and digits") {
  size_t letters = 0, digits = 0, changed = 0;
  for (int octet = 0; octet < 256; ++octet) {
    const auto c = static_cast<char>(octet);
    letters += is_letter(c);
    digits += is_digit(c);
    changed += lower(c) != c;
    CHECK(is_alphanumeric(c) == (is_letter(c) || is_digit(c)));
  }
  CHECK(letters == 52);
  CHECK(digits == 10);
  CHECK(changed == 26);
  for (const char c : "@[`{/:"s) CHECK_FALSE(is_alphanumeric(c));
}

TEST_CASE("text: append_lower leaves alone what stands there") {
  std::string out = "KEEP:";
  append_lower(out, "Joe");
  CHECK(out == "KEEP:joe");
}

TEST_CASE("text: quoted escapes all that could end a line or a quote") {
  struct Case {
    std::string text, want;
  };
  const Case cases[] = {
      {"", R"("")"},
      {"joe@example.com", R"("joe@example.com")"},
      {"a\"b\\c", R"("a\"b\\c")"},
      {"a\nb\r\tc"s, R"("a\x0ab\x0d\x09c")"},
      {"\0\x7f\x1b[31m"s, R"("\x00\x7f\x1b[31m")"},
      {"\xc3\xb6\xff", R"("\xc3\xb6\xff")"},
      {"\"", R"("\"")"},
  };
  for (const Case& c : cases) CHECK(quoted(c.text) == c.want);
}

TEST_CASE("text: quoted cuts after the limit and says so") {
  CHECK(quoted("abcdef", 6) == R"("abcdef")");
  CHECK(quoted("abcdefg", 6) == R"("abcdef"...)");
  CHECK(quoted("\n\n\n", 2) == R"("\x0a\x0a"...)");
  CHECK(quoted(std::string(300, 'x')).size() == 256 + 5);
  CHECK(quoted("x", 0) == R"(""...)");
}

TEST_CASE("text: append_quoted appends") {
  std::string out = "sender=";
  append_quoted(out, "a b");
  CHECK(out == R"(sender="a b")");
}

TEST_CASE("text: printable leaves printable ASCII only") {
  CHECK(printable("Mail from \xc3\xb6\r\nx\0"s) == "Mail from ????x?");
  CHECK(printable(" ~") == " ~");
}

TEST_CASE("text: stable_hash is the same everywhere and for ever") {
  CHECK(stable_hash("") == 0xb1a2451ac81a960f);
  CHECK(stable_hash("joe@example.com") == 0x9a4aa3b32ea0e09a);
  CHECK(stable_hash("joe@example.com") == stable_hash(std::string("joe@example.com")));
  CHECK(stable_hash("joe@example.com") != stable_hash("joe@example.con"));
  CHECK(stable_hash("joe@example.com", 1) != stable_hash("joe@example.com", 2));
  CHECK(stable_hash("a\0"s) != stable_hash("a"));
}

TEST_CASE("text: trim takes white space off both ends") {
  CHECK(trim(" \t a b\r\n") == "a b");
  CHECK(trim(" \n ") == "");
  CHECK(trim("") == "");
}

TEST_CASE("text: a whole number is made of digits alone, and no more than it may be") {
  CHECK(parse_whole_number("0") == 0);
  CHECK(parse_whole_number("007") == 7);
  CHECK(parse_whole_number("9223372036854775807") == INT64_MAX);
  CHECK(parse_whole_number("100", 100) == 100);
  CHECK_FALSE(parse_whole_number("101", 100));
  for (const char* text : {"", "-0", "-1", "+1", " 1", "1 ", "1.0", "1e3", "0x1", "9223372036854775808", "x"}) {
    CAPTURE(text);
    CHECK_FALSE(parse_whole_number(text));
  }
}

TEST_CASE("text: is_utf8 takes well-formed characters only") {
  struct Case {
    std::string text;
    bool want;
  };
  const Case cases[] = {
      {"", true},
      {"plain", true},
      {"\0"s, true},
      {"j\xc3\xb6rg", true},
      {"\xe2\x82\xac", true},
      {"\xf0\x9f\x93\xa7", true},
      {"\xf4\x8f\xbf\xbf", true},
      {"\xc3", false},              // cut
      {"\xe2\x82", false},          // cut
      {"\x80", false},              // continuation without a beginning
      {"\xc0\xaf", false},          // overlong
      {"\xe0\x80\xaf", false},      // overlong
      {"\xed\xa0\x80", false},      // surrogate
      {"\xf4\x90\x80\x80", false},  // beyond U+10FFFF
      {"\xff", false},
      {"\xe2\x28\xac", false},
  };
  for (const Case& c : cases) CHECK_MESSAGE(is_utf8(c.text) == c.want, quoted(c.text));
}

TEST_CASE("text: domain_of takes what follows the last '@'") {
  CHECK(domain_of("joe@example.com") == "example.com");
  CHECK(domain_of("a@b@example.com") == "example.com");
  CHECK(domain_of("@example.com") == "example.com");
  CHECK(domain_of("joe@") == "");
  CHECK(domain_of("postmaster") == "");
  CHECK(domain_of("") == "");
  CHECK(domain_of("joe@[IPv6:2001:db8::1]") == "[IPv6:2001:db8::1]");
}
