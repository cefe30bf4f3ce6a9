// Macros: what they expand to (RFC 7208, 7.2 to 7.4), and the names that come out.
#include "policyd/spf/macro.h"

#include <doctest/doctest.h>

#include <vector>

using namespace policyd;

namespace {

// Those of RFC 7208, 7.4.
MacroValues values(std::string_view client = "192.0.2.3") {
  MacroValues values;
  values.client = *IpAddress::parse(client);
  values.sender = "strong-bad@email.example.com";
  values.local_part = "strong-bad";
  values.sender_domain = "email.example.com";
  values.domain = "email.example.com";
  values.helo = "mx.example.org";
  values.receiver = "mx.receiver.test";
  values.now = 1'795'255'200;
  return values;
}

std::string expand(std::string_view text, const MacroValues& with = values()) {
  CHECK(explain_string_flaw(text).empty());
  return explanation_text(text, with);
}

std::string name_of(std::string_view spec, const MacroValues& with = values()) {
  return target_name(spec, with).value_or("none");
}

}  // namespace

TEST_CASE("spf macro: 7.4: the examples of the RFC") {
  const std::vector<std::pair<std::string_view, std::string_view>> cases = {
      {"%{s}", "strong-bad@email.example.com"},
      {"%{o}", "email.example.com"},
      {"%{d}", "email.example.com"},
      {"%{d4}", "email.example.com"},
      {"%{d3}", "email.example.com"},
      {"%{d2}", "example.com"},
      {"%{d1}", "com"},
      {"%{dr}", "com.example.email"},
      {"%{d2r}", "example.email"},
      {"%{l}", "strong-bad"},
      {"%{l-}", "strong.bad"},
      {"%{lr}", "strong-bad"},
      {"%{lr-}", "bad.strong"},
      {"%{l1r-}", "strong"},
      {"%{ir}.%{v}._spf.%{d2}", "3.2.0.192.in-addr._spf.example.com"},
      {"%{lr-}.lp._spf.%{d2}", "bad.strong.lp._spf.example.com"},
      {"%{lr-}.lp.%{ir}.%{v}._spf.%{d2}", "bad.strong.lp.3.2.0.192.in-addr._spf.example.com"},
      {"%{ir}.%{v}.%{l1r-}.lp._spf.%{d2}", "3.2.0.192.in-addr.strong.lp._spf.example.com"},
      {"%{d2}.trusted-domains.example.net", "example.com.trusted-domains.example.net"},
  };
  for (const auto& [macro, want] : cases) {
    CAPTURE(macro);
    CHECK(expand(macro) == want);
  }
  CHECK(expand("%{ir}.%{v}._spf.%{d2}", values("2001:db8::cb01")) ==
        "1.0.b.c.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6._spf.example.com");
}

TEST_CASE("spf macro: 7.2, 7.3: every letter, and the special cases") {
  const MacroValues v6 = values("2001:db8::cb01");
  CHECK(expand("%{i}") == "192.0.2.3");
  CHECK(expand("%{i}", v6) == "2.0.0.1.0.d.b.8.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.c.b.0.1");
  CHECK(expand("%{c}") == "192.0.2.3");
  CHECK(expand("%{c}", v6) == "2001:db8::cb01");
  CHECK(expand("%{v}", v6) == "ip6");
  CHECK(expand("%{h}") == "mx.example.org");
  CHECK(expand("%{p}") == "unknown");
  CHECK(expand("%{r}") == "mx.receiver.test");
  CHECK(expand("%{t}") == "1795255200");
  CHECK(expand("%%%_%-") == "% %20");
  CHECK(expand("plain words, and a URL: http://%{d}/?a=b") == "plain words, and a URL: http://email.example.com/?a=b");
  CHECK(expand("") == "");
}

TEST_CASE("spf macro: 7.3: splitting, reversing and taking parts") {
  MacroValues odd = values();
  odd.local_part = "a+b-c.d_e=f,g/h";
  CHECK(expand("%{l}", odd) == "a+b-c.d_e=f,g/h");
  CHECK(expand("%{l.-+,/_=}", odd) == "a.b.c.d.e.f.g.h");
  CHECK(expand("%{lr.-+,/_=}", odd) == "h.g.f.e.d.c.b.a");
  CHECK(expand("%{l2r.-+,/_=}", odd) == "b.a");
  CHECK(expand("%{l3+-}", odd) == "a.b.c.d_e=f,g/h");
  CHECK(expand("%{l2}", odd) == "a+b-c.d_e=f,g/h");
  CHECK(expand("%{l1}", odd) == "d_e=f,g/h");
  CHECK(expand("%{d128}") == "email.example.com");
  CHECK(expand("%{d99999999999999999999}") == "email.example.com");
  odd.local_part = "..a--b.";
  CHECK(expand("%{lr}", odd) == ".a--b..");
  CHECK(expand("%{l-}", odd) == "..a..b.");
  CHECK(expand("%{l1}", odd) == "");
  odd.local_part = "";
  CHECK(expand("%{l}|%{lr-}", odd) == "|");
}

TEST_CASE("spf macro: 7.3: upper case is URL-escaped, after the transformation") {
  MacroValues odd = values();
  odd.local_part = "~jack&jill=up-a_b3.c";
  CHECK(expand("http://example.com/why.html?l=%{L}", odd) == "http://example.com/why.html?l=~jack%26jill%3Dup-a_b3.c");
  CHECK(expand("%{S}") == "strong-bad%40email.example.com");
  CHECK(expand("%{C}", values("2001:db8::1")) == "2001%3Adb8%3A%3A1");
}

TEST_CASE("spf macro: names: lower case, no dot at the end, one that the DNS can be asked for") {
  MacroValues odd = values();
  CHECK(name_of("") == "email.example.com");
  CHECK(name_of("Mail.Example.COM") == "mail.example.com");
  CHECK(name_of("mail.example.com.") == "mail.example.com");
  CHECK(name_of("%{d2}.%{D1}") == "example.com.com");
  CHECK(name_of("a%_b%%.example.com") == "a b%.example.com");
  CHECK(name_of("foo:bar/baz.example.com") == "foo:bar/baz.example.com");
  CHECK(name_of("%{d1}") == "none");
  CHECK(name_of("a..example.com") == "none");
  CHECK(name_of(".example.com") == "none");
  CHECK(name_of(std::string(64, 'a') + ".example.com") == "none");
  CHECK(name_of(std::string(63, 'a') + ".example.com") == std::string(63, 'a') + ".example.com");
  odd.local_part = "a..b";
  CHECK(name_of("%{l}.example.com", odd) == "none");
  odd.local_part = std::string_view("a\0b", 3);
  CHECK(name_of("%{l}.example.com", odd) == "none");
  odd.local_part = "a b";
  CHECK(name_of("%{l}.example.com", odd) == "a b.example.com");
  odd.helo = "OEMCOMPUTER";
  CHECK(name_of("%{h}", odd) == "none");
}

TEST_CASE("spf macro: names: local parts and EHLO names beyond ASCII are in none, domains are") {
  MacroValues odd = values();
  odd.local_part = "j\xc3\xbcrgen";
  odd.sender = "j\xc3\xbcrgen@b\xc3\xbc\x63her.example";
  odd.domain = odd.sender_domain = "b\xc3\xbc\x63her.example";
  odd.helo = "\xff.example.com";
  CHECK(name_of("%{l}._spf.example.com", odd) == "none");
  CHECK(name_of("%{S}._spf.example.com", odd) == "none");
  CHECK(name_of("%{h}", odd) == "none");
  CHECK(name_of("%{d}", odd) == "b\xc3\xbc\x63her.example");
  CHECK(name_of("_spf.%{o}", odd) == "_spf.b\xc3\xbc\x63her.example");
  CHECK(name_of("example.com", odd) == "example.com");
}

TEST_CASE("spf macro: 7.3: labels go from the left of a name of more than 253 characters") {
  const std::string ten = "123456789.";
  std::string tens;
  for (int i = 0; i < 24; ++i) tens += ten;  // 240
  CHECK(name_of(tens + "a2345.example") == tens + "a2345.example");           // 253
  CHECK(name_of(tens + "a2345.example.") == tens + "a2345.example");
  CHECK(name_of(tens + "a23456.example") == tens.substr(10) + "a23456.example");  // 254
  CHECK(name_of("x." + tens + "a2345.example") == tens + "a2345.example");
  CHECK(name_of(tens + tens + tens + "a2345.example") == tens + "a2345.example");
  CHECK(name_of(std::string(300, 'a')) == "none");
  CHECK(name_of(std::string(300, 'a') + ".example.com") == "example.com");

  MacroValues long_ones = values();
  const std::string local(2000, 'x');
  long_ones.local_part = local;
  std::string spec;
  for (int i = 0; i < 1000; ++i) spec += "%{l}.";
  CHECK(name_of(spec + "example.com", long_ones) == "example.com");
}

TEST_CASE("spf macro: what would take very long is no name") {
  MacroValues hostile = values();
  std::string local = "a", spec, escapes;
  for (int i = 0; i < 1000; ++i) local += "-a";
  for (int i = 0; i < 10'000; ++i) spec += "%{l1r-}", escapes += "%-";
  hostile.local_part = local;
  CHECK(name_of(spec + ".example.com", hostile) == "none");
  CHECK(name_of("%{l1r-}.%{l1r-}.example.com", hostile) == "a.a.example.com");
  CHECK(name_of(escapes + ".example.com", hostile) == "example.com");
  CHECK(explanation_text(spec, hostile).size() <= kLongestExplanation);
}

TEST_CASE("spf macro: an explanation is bounded, and printable ASCII") {
  MacroValues odd = values();
  odd.local_part = "j\xc3\xbcrgen\r\n";
  CHECK(expand("%{l}!", odd) == "j?" "?rgen?" "?!");
  CHECK(expand("%{L}", odd) == "j%C3%BCrgen%0D%0A");
  std::string text;
  for (int i = 0; i < 10'000; ++i) text += "%{s}";
  CHECK(expand(text).size() == kLongestExplanation);
  CHECK(explain_string_flaw("two  spaces ").empty());
  CHECK_FALSE(explain_string_flaw("a tab\t").empty());
  CHECK_FALSE(explain_string_flaw("caf\xc3\xa9").empty());
  CHECK_FALSE(explain_string_flaw("100%").empty());
  CHECK_FALSE(explain_string_flaw("%{z}").empty());
}

TEST_CASE("spf macro: which macros a text uses") {
  CHECK(uses_macro("a.%{p}.b", 'p'));
  CHECK(uses_macro("%{P2r-}", 'p'));
  CHECK_FALSE(uses_macro("%%{p}", 'p'));
  CHECK_FALSE(uses_macro("%{d}p.p", 'p'));
}
