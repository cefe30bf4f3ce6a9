// SPF's modifiers and macros as records use them (RFC 7208, sections 6 and 7).
#include "tests/support/spf_cases.h"

using namespace policyd;
using namespace policyd::test;

TEST_CASE("spf: 6: unknown modifiers are ignored, wherever and however often") {
  check_spf_records("", {{"v=spf1 moo=cow ip4:192.0.2.1 moo=cow -all moo=%{d}", "192.0.2.1", "pass"},
                         {"v=spf1 moo= -all", "192.0.2.1", "fail"},
                         {"v=spf1 include=none.test ip4=198.51.100.1 -all", "192.0.2.1", "fail"},
                         {"v=spf1 Default=pass", "192.0.2.1", "neutral"}});
}

TEST_CASE("spf: 6.1: redirect") {
  check_spf_records(R"(
      pass.test TXT v=spf1 +all
      fail.test TXT v=spf1 -all
      neutral.test TXT v=spf1
      chain.test TXT v=spf1 redirect=fail.test
      permerror.test TXT v=spf1 nonsense
      temperror.test TIMEOUT
      two.test TXT v=spf1 +all
      two.test TXT v=spf1 +all
      self.test TXT v=spf1 ip4:192.0.2.1 redirect=self.test
      domain.test TXT v=spf1 a -all
      domain.test A 192.0.2.7
      example.com A 192.0.2.8
      example.com._spf.test TXT v=spf1 ~all
      notxt.test A 192.0.2.1
    )",
                    {{"v=spf1 redirect=pass.test", "192.0.2.1", "pass"},
                     {"v=spf1 redirect=fail.test ip4:192.0.2.1", "192.0.2.1", "pass"},
                     {"v=spf1 ip4:192.0.2.2 redirect=fail.test", "192.0.2.1", "fail"},
                     {"v=spf1 redirect=neutral.test", "192.0.2.1", "neutral"},
                     {"v=spf1 redirect=chain.test", "192.0.2.1", "fail"},
                     {"v=spf1 redirect=pass.test.", "192.0.2.1", "pass"},
                     {"v=spf1 redirect=none.test", "192.0.2.1", "permerror"},
                     {"v=spf1 redirect=notxt.test", "192.0.2.1", "permerror"},
                     {"v=spf1 redirect=permerror.test", "192.0.2.1", "permerror"},
                     {"v=spf1 redirect=temperror.test", "192.0.2.1", "temperror"},
                     {"v=spf1 redirect=two.test", "192.0.2.1", "permerror"},
                     {"v=spf1 redirect=self.test", "192.0.2.1", "pass"},
                     {"v=spf1 redirect=self.test", "192.0.2.2", "permerror"},
                     {"v=spf1 redirect=domain.test", "192.0.2.7", "pass"},
                     {"v=spf1 redirect=domain.test", "192.0.2.8", "fail"},
                     {"v=spf1 redirect=%{d}._spf.test", "192.0.2.1", "softfail"},
                     {"v=spf1 redirect=%{r}.test", "192.0.2.1", "permerror"},
                     {"v=spf1 redirect=none.test ?all", "192.0.2.1", "neutral"}});
}

TEST_CASE("spf: 6.2: exp: which explanation, and when there is none") {
  check_spf_records(
      R"(
      e.test TXT Mail from %{d} comes from its own servers only
      spaces.test TXT "two  spaces. "
      parts.test TXT "See http://%{d}/why.html?s=%{S}" "&i=%{I}"
      all.test TXT "%{s} %{l} %{o} %{d} %{i} %{h} %{c} %{r} %{t} %{v} %{p}"
      two.test TXT one
      two.test TXT two
      none.test A 192.0.2.1
      broken.test SERVFAIL
      badmacro.test TXT "a %{x} macro"
      percent.test TXT 100% sure
      octets.test TXT "caf\xc3\xa9"
      control.test TXT "a\x0d\x0aline"
      empty.test TXT ""
      inc.test TXT v=spf1 -all exp=inc-e.test
      inc-e.test TXT included
      incpass.test TXT v=spf1 +all exp=inc-e.test
      red.test TXT v=spf1 -all exp=red-e.test
      red-e.test TXT redirected to %{d}
      rednone.test TXT v=spf1 -all
      example.com.e.test TXT by domain
      trailing.test TXT ends with a dot.
    )",
      {{"v=spf1 -all exp=e.test", "192.0.2.1", "fail: Mail from example.com comes from its own servers only"},
       {"v=spf1 exp=e.test -all", "192.0.2.1", "fail: Mail from example.com comes from its own servers only"},
       {"v=spf1 -ip4:192.0.2.1 exp=e.test", "192.0.2.1", "fail: Mail from example.com comes from its own servers only"},
       {"v=spf1 -all EXP=E.test.", "192.0.2.1", "fail: Mail from example.com comes from its own servers only"},
       {"v=spf1 -all exp=%{d}.e.test", "192.0.2.1", "fail: by domain"},
       {"v=spf1 -all exp=spaces.test", "192.0.2.1", "fail: two  spaces. "},
       {"v=spf1 -all exp=trailing.test", "192.0.2.1", "fail: ends with a dot."},
       {"v=spf1 -all exp=parts.test", "192.0.2.1",
        "fail: See http://example.com/why.html?s=joe%40example.com&i=192.0.2.1"},
       {"v=spf1 -all exp=all.test", "192.0.2.1",
        "fail: joe@example.com joe example.com example.com 192.0.2.1 mail.example.com 192.0.2.1 mx.receiver.test "
        "1795255200 in-addr unknown"},
       {"v=spf1 ~all exp=e.test", "192.0.2.1", "softfail"},
       {"v=spf1 ?all exp=e.test", "192.0.2.1", "neutral"},
       {"v=spf1 +all exp=e.test", "192.0.2.1", "pass"},
       {"v=spf1 -all", "192.0.2.1", "fail"},
       {"v=spf1 -all exp=two.test", "192.0.2.1", "fail"},
       {"v=spf1 -all exp=none.test", "192.0.2.1", "fail"},
       {"v=spf1 -all exp=nothing.test", "192.0.2.1", "fail"},
       {"v=spf1 -all exp=broken.test", "192.0.2.1", "fail"},
       {"v=spf1 -all exp=badmacro.test", "192.0.2.1", "fail"},
       {"v=spf1 -all exp=percent.test", "192.0.2.1", "fail"},
       {"v=spf1 -all exp=octets.test", "192.0.2.1", "fail"},
       {"v=spf1 -all exp=control.test", "192.0.2.1", "fail"},
       {"v=spf1 -all exp=empty.test", "192.0.2.1", "fail"},
       {"v=spf1 -all exp=a..test", "192.0.2.1", "fail"},
       {"v=spf1 -all exp=%{d1}", "192.0.2.1", "fail"},
       {"v=spf1 -all exp=", "192.0.2.1", "permerror"},
       {"v=spf1 -all exp=%{x}.e.test", "192.0.2.1", "permerror"},
       {"v=spf1 include:inc.test -all exp=e.test", "192.0.2.1",
        "fail: Mail from example.com comes from its own servers only"},
       {"v=spf1 -include:incpass.test exp=e.test", "192.0.2.1",
        "fail: Mail from example.com comes from its own servers only"},
       {"v=spf1 -include:incpass.test", "192.0.2.1", "fail"},
       {"v=spf1 include:inc.test -all", "192.0.2.1", "fail"},
       {"v=spf1 redirect=red.test exp=e.test", "192.0.2.1", "fail: redirected to red.test"},
       {"v=spf1 redirect=rednone.test exp=e.test", "192.0.2.1", "fail"}});
}

TEST_CASE("spf: 6.2: exp: look-ups of it count for nothing") {
  check_spf_records(
      "x.test A 192.0.2.9\ne.test TXT here",
      {{"v=spf1 a:x.test a:x.test a:x.test a:x.test a:x.test a:x.test a:x.test a:x.test a:x.test a:x.test "
        "-all exp=e.test",
        "192.0.2.1", "fail: here"},
       {"v=spf1 a:n1.test a:n2.test -all exp=n3.test", "192.0.2.1", "fail"}});
}

TEST_CASE("spf: 7: macros in directives") {
  check_spf_cases(R"(
      example.com TXT v=spf1 exists:%{l}.%{o}.%{h}._spf.test -all
      joe.example.com.mail.example.com._spf.test A 127.0.0.2
      strong-bad.test TXT v=spf1 exists:%{lr-}.lp._spf.%{d} -all
      bad.strong.lp._spf.strong-bad.test A 127.0.0.2
      delimiters.test TXT v=spf1 exists:%{l3r-+}.%{d} -all
      zip.bar.foo.delimiters.test A 127.0.0.2
      upper.test TXT v=spf1 exists:%{L}.%{d} -all
      a%26b.upper.test A 127.0.0.2
      percent.test TXT v=spf1 exists:%%percent%_%_space%-.%{d} -all
      "%percent  space%20.percent.test" A 127.0.0.2
      helo.test TXT v=spf1 -include:_spfh.%{d} ip4:192.0.2.0/24 -all
      _spfh.helo.test TXT v=spf1 -a:%{h} +all
      mail.example.com A 192.0.2.1
      parts.test TXT v=spf1 exists:%{d2}.%{d1r}.x.test -all
      parts.test.parts.x.test A 127.0.0.2
      mixed.test TXT v=spf1 exists:%{S}.Upper.Test -all
    )",
                  {{"letters", "192.0.2.1", "joe@example.com", "pass"},
                   {"case", "192.0.2.1", "JOE@Example.Com", "pass", "Mail.EXAMPLE.com"},
                   {"another", "192.0.2.1", "jim@example.com", "fail"},
                   {"reversed on a dash", "192.0.2.1", "strong-bad@strong-bad.test", "pass"},
                   {"several delimiters", "192.0.2.1", "foo-bar+zip@delimiters.test", "pass"},
                   {"more parts than wanted", "192.0.2.1", "x-foo-bar+zip@delimiters.test", "fail"},
                   {"URL-escaped", "192.0.2.1", "a&b@upper.test", "pass"},
                   {"special cases", "192.0.2.1", "a@percent.test", "pass"},
                   {"EHLO name leads back", "192.0.2.1", "a@helo.test", "pass"},
                   {"EHLO name does not", "192.0.2.2", "a@helo.test", "fail"},
                   {"EHLO name is none", "192.0.2.1", "a@helo.test", "fail", "OEMCOMPUTER"},
                   {"EHLO name is odd", "192.0.2.1", "a@helo.test", "fail", "JUMPIN' JUPITER"},
                   {"EHLO literal", "192.0.2.1", "a@helo.test", "fail", "[192.0.2.1]"},
                   {"local part beyond ASCII", "192.0.2.1", "j\xc3\xbcrgen@example.com", "fail"},
                   {"parts of the domain", "192.0.2.1", "a@parts.test", "pass"},
                   {"too long a label", "192.0.2.1", std::string(64, 'a') + "@mixed.test", "fail"}});
}

TEST_CASE("spf: 7.3: %{p}") {
  check_spf_cases(R"(
      example.com TXT v=spf1 exists:%{p}.seen.test -all exp=e.test
      e.test TXT connect from %{p}
      1.2.0.192.in-addr.arpa PTR mx.example.com
      mx.example.com A 192.0.2.1
      2.2.0.192.in-addr.arpa PTR other.test
      2.2.0.192.in-addr.arpa PTR a.example.com
      2.2.0.192.in-addr.arpa PTR example.com
      other.test A 192.0.2.2
      a.example.com A 192.0.2.2
      example.com A 192.0.2.2
      3.2.0.192.in-addr.arpa PTR other3.test
      3.2.0.192.in-addr.arpa PTR b.example.com
      other3.test A 192.0.2.3
      b.example.com A 192.0.2.3
      4.2.0.192.in-addr.arpa PTR other4.test
      other4.test A 192.0.2.4
      5.2.0.192.in-addr.arpa PTR liar.example.com
      liar.example.com A 192.0.2.6
      6.2.0.192.in-addr.arpa SERVFAIL
      7.2.0.192.in-addr.arpa PTR broken.test
      broken.test SERVFAIL
      1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa PTR v6.example.com
      v6.example.com AAAA 2001:db8::1
      8.2.0.192.in-addr.arpa PTR seen8.test
      seen8.test A 192.0.2.8
      seen8.test.seen.test A 127.0.0.2
      redirect.test TXT v=spf1 redirect=%{p}.red.test
      mx.example.com.red.test TXT v=spf1 -all
      unknown.red.test TXT v=spf1 ~all
      include.test TXT v=spf1 include:%{p2}.red.test -all
      example.com.red.test TXT v=spf1 +all
    )",
                  {{"a name below", "192.0.2.1", "joe@example.com", "fail: connect from mx.example.com"},
                   {"the domain itself", "192.0.2.2", "joe@example.com", "fail: connect from example.com"},
                   {"below rather than any", "192.0.2.3", "joe@example.com", "fail: connect from b.example.com"},
                   {"any", "192.0.2.4", "joe@example.com", "fail: connect from other4.test"},
                   {"does not lead back", "192.0.2.5", "joe@example.com", "fail: connect from unknown"},
                   {"DNS error", "192.0.2.6", "joe@example.com", "fail: connect from unknown"},
                   {"DNS error of a name", "192.0.2.7", "joe@example.com", "fail: connect from unknown"},
                   {"no PTR", "192.0.2.99", "joe@example.com", "fail: connect from unknown"},
                   {"IPv6", "2001:db8::1", "joe@example.com", "fail: connect from v6.example.com"},
                   {"in a directive", "192.0.2.8", "joe@example.com", "pass"},
                   {"in redirect", "192.0.2.1", "joe@redirect.test", "fail"},
                   {"in redirect, unknown", "192.0.2.9", "joe@redirect.test", "softfail"},
                   {"in include", "192.0.2.1", "joe@include.test", "pass"}});
}

TEST_CASE("spf: 7.3: a name that grows too long loses labels from its left") {
  const std::string sixty(60, 'x');
  // Four times 60 and a dot, and "long.test": 253 characters; with one more in the middle it is too long.
  const std::string zone = "long.test TXT v=spf1 exists:a.%{l}.%{l}.%{l}.%{l}.%{d} -all\n" + sixty + "." + sixty + "." +
                           sixty + "." + sixty + ".long.test A 127.0.0.2\n";
  check_spf_cases(zone, {{"truncated", "192.0.2.1", sixty + "@long.test", "pass"},
                         {"another", "192.0.2.1", std::string(60, 'y') + "@long.test", "fail"}});
}
