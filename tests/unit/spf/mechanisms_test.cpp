// SPF's mechanisms (RFC 7208, section 5).
#include "tests/support/spf_cases.h"

using namespace policyd;
using namespace policyd::test;

TEST_CASE("spf: 5.1: all") {
  check_spf_records("other.test TXT v=spf1 -all\nhost.test A 192.0.2.1",
                    {{"v=spf1 ?all a:host.test", "192.0.2.1", "neutral"},
                     {"v=spf1 redirect=other.test ?all", "192.0.2.1", "neutral"},
                     {"v=spf1 ?all redirect=nothing.test", "192.0.2.1", "neutral"},
                     {"v=spf1 -all", "2001:db8::1", "fail"}});
}

TEST_CASE("spf: 5.2: include: the table of results") {
  check_spf_records(R"(
      pass.test TXT v=spf1 +all
      fail.test TXT v=spf1 -all
      softfail.test TXT v=spf1 ~all
      neutral.test TXT v=spf1 ?all
      default.test TXT v=spf1
      permerror.test TXT v=spf1 nonsense
      temperror.test SERVFAIL
      late.test TXT v=spf1 a:temperror.test
      redirecting.test TXT v=spf1 redirect=pass.test
      redirectnone.test TXT v=spf1 redirect=none.test
      nested.test TXT v=spf1 include:pass.test -all
      nestednone.test TXT v=spf1 include:none.test +all
      here.test TXT v=spf1 a
      here.test A 192.0.2.1
      two.test TXT v=spf1
      two.test TXT v=spf1
      notxt.test A 192.0.2.1
    )",
                    {{"v=spf1 include:pass.test -all", "192.0.2.1", "pass"},
                     {"v=spf1 -include:pass.test ?all", "192.0.2.1", "fail"},
                     {"v=spf1 ~include:pass.test ?all", "192.0.2.1", "softfail"},
                     {"v=spf1 ?include:pass.test -all", "192.0.2.1", "neutral"},
                     {"v=spf1 include:fail.test ~all", "192.0.2.1", "softfail"},
                     {"v=spf1 -include:fail.test +all", "192.0.2.1", "pass"},
                     {"v=spf1 include:softfail.test -all", "192.0.2.1", "fail"},
                     {"v=spf1 include:neutral.test -all", "192.0.2.1", "fail"},
                     {"v=spf1 include:default.test -all", "192.0.2.1", "fail"},
                     {"v=spf1 include:permerror.test +all", "192.0.2.1", "permerror"},
                     {"v=spf1 include:temperror.test +all", "192.0.2.1", "temperror"},
                     {"v=spf1 include:late.test +all", "192.0.2.1", "temperror"},
                     {"v=spf1 include:none.test +all", "192.0.2.1", "permerror"},
                     {"v=spf1 include:notxt.test +all", "192.0.2.1", "permerror"},
                     {"v=spf1 include:two.test +all", "192.0.2.1", "permerror"},
                     {"v=spf1 include:redirecting.test -all", "192.0.2.1", "pass"},
                     {"v=spf1 include:redirectnone.test +all", "192.0.2.1", "permerror"},
                     {"v=spf1 include:nested.test -all", "192.0.2.1", "pass"},
                     {"v=spf1 include:nestednone.test -all", "192.0.2.1", "permerror"},
                     {"v=spf1 include:here.test -all", "192.0.2.1", "pass"},
                     {"v=spf1 include:here.test -all", "192.0.2.2", "fail"},
                     {"v=spf1 include:fail.test include:pass.test -all", "192.0.2.1", "pass"},
                     {"v=spf1 INCLUDE:Pass.Test -all", "192.0.2.1", "pass"},
                     {"v=spf1 include:pass.test. -all", "192.0.2.1", "pass"},
                     {"v=spf1 include:pass.test/24 -all", "192.0.2.1", "permerror"},
                     {"v=spf1 include: -all", "192.0.2.1", "permerror"},
                     {"v=spf1 include -all", "192.0.2.1", "permerror"},
                     {"v=spf1 ip4:192.0.2.1 include:none.test", "192.0.2.1", "pass"}});
}

TEST_CASE("spf: 5.3: a") {
  check_spf_records(R"(
      example.com A 192.0.2.10
      h.test A 192.0.2.65
      h.test A 198.51.100.3
      h.test AAAA 2001:db8::25
      v4.test A 192.0.2.65
      v6.test AAAA 2001:db8::25
      zero.test A 0.0.0.0
      alias.test CNAME h.test
      broken.test SERVFAIL
      slow.test TIMEOUT
      half.test SERVFAIL AAAA
      half.test A 192.0.2.65
      foo:bar/baz.h.test A 192.0.2.65
      a.xn--zckzah A 192.0.2.65
    )",
                    {{"v=spf1 a -all", "192.0.2.10", "pass"},
                     {"v=spf1 a -all", "192.0.2.11", "fail"},
                     {"v=spf1 a/24 -all", "192.0.2.11", "pass"},
                     {"v=spf1 a:h.test -all", "192.0.2.65", "pass"},
                     {"v=spf1 a:h.test -all", "198.51.100.3", "pass"},
                     {"v=spf1 a:h.test -all", "192.0.2.66", "fail"},
                     {"v=spf1 a:h.test/26 -all", "192.0.2.66", "pass"},
                     {"v=spf1 a:h.test/31 -all", "192.0.2.66", "fail"},
                     {"v=spf1 a:h.test/0 -all", "203.0.113.1", "pass"},
                     {"v=spf1 a:h.test/0 -all", "2001:db8::26", "fail"},
                     {"v=spf1 a:h.test//0 -all", "192.0.2.66", "fail"},
                     {"v=spf1 a:h.test//0 -all", "2001:db9::1", "pass"},
                     {"v=spf1 a:v4.test//0 -all", "2001:db8::25", "fail"},
                     {"v=spf1 a:v6.test/0 -all", "192.0.2.65", "fail"},
                     {"v=spf1 a:h.test -all", "2001:db8::25", "pass"},
                     {"v=spf1 a:h.test -all", "2001:DB8:0::25", "pass"},
                     {"v=spf1 a:h.test -all", "2001:db8::26", "fail"},
                     {"v=spf1 a:h.test/8//64 -all", "2001:db8::ffff", "pass"},
                     {"v=spf1 a:h.test/8//64 -all", "192.1.1.1", "pass"},
                     {"v=spf1 a:h.test/8//64 -all", "193.1.1.1", "fail"},
                     {"v=spf1 a:h.test/32//127 -all", "2001:db8::24", "pass"},
                     {"v=spf1 a:zero.test -all", "192.0.2.1", "fail"},
                     {"v=spf1 a:nothing.test -all", "192.0.2.65", "fail"},
                     {"v=spf1 a:nothing.test/0 -all", "192.0.2.65", "fail"},
                     {"v=spf1 a:nothing.test//0 -all", "2001:db8::1", "fail"},
                     {"v=spf1 a:alias.test -all", "192.0.2.65", "pass"},
                     {"v=spf1 a:H.Test. -all", "192.0.2.65", "pass"},
                     {"v=spf1 a:broken.test +all", "192.0.2.65", "temperror"},
                     {"v=spf1 a:slow.test +all", "192.0.2.65", "temperror"},
                     {"v=spf1 a:half.test -all", "192.0.2.65", "pass"},
                     {"v=spf1 a:half.test -all", "2001:db8::25", "temperror"},
                     {"v=spf1 a:foo:bar/baz.h.test -all", "192.0.2.65", "pass"},
                     {"v=spf1 a:a.xn--zckzah -all", "192.0.2.65", "pass"},
                     {"v=spf1 a:111.222.33.44 -all", "111.222.33.44", "permerror"}});
}

TEST_CASE("spf: 5.4: mx") {
  std::string zone = R"(
      example.com MX 10 mail.test
      example.com A 192.0.2.99
      mail.test A 192.0.2.129
      mail.test AAAA 2001:db8::25
      m.test MX 20 second.test
      m.test MX 10 first.test
      first.test A 192.0.2.1
      second.test A 192.0.2.2
      second.test A 192.0.2.3
      second.test AAAA 2001:db8::2
      null.test MX 0 .
      null.test A 192.0.2.1
      implicit.test A 192.0.2.1
      dangling.test MX 10 nothing.test
      dangling.test MX 20 first.test
      broken.test SERVFAIL MX
      brokenhost.test MX 10 bad.test
      brokenhost.test MX 20 first.test
      brokenlate.test MX 10 first.test
      brokenlate.test MX 20 bad.test
      bad.test TIMEOUT
      short.test MX 10 localhost
      short.test MX 20 first.test
      alias.test MX 10 cname.test
      cname.test CNAME first.test
  )";
  for (int i = 1; i <= 10; ++i) {
    const std::string host = "h" + std::to_string(i) + ".test";
    zone += "ten.test MX " + std::to_string(i) + " " + host + "\neleven.test MX " + std::to_string(i) + " " + host +
            "\n" + host + " A 198.51.100." + std::to_string(i) + "\n";
  }
  zone += "eleven.test MX 11 first.test\n";
  check_spf_records(zone, {{"v=spf1 mx -all", "192.0.2.129", "pass"},
                           {"v=spf1 mx -all", "192.0.2.99", "fail"},
                           {"v=spf1 mx -all", "2001:db8::25", "pass"},
                           {"v=spf1 mx//96 -all", "2001:db8::1", "pass"},
                           {"v=spf1 mx/24 -all", "192.0.2.1", "pass"},
                           {"v=spf1 mx:m.test -all", "192.0.2.1", "pass"},
                           {"v=spf1 mx:m.test -all", "192.0.2.3", "pass"},
                           {"v=spf1 mx:m.test -all", "192.0.2.4", "fail"},
                           {"v=spf1 mx:m.test/30 -all", "192.0.2.0", "pass"},
                           {"v=spf1 mx:m.test//0 -all", "192.0.2.4", "fail"},
                           {"v=spf1 mx:m.test/0 -all", "2001:db8::1", "fail"},
                           {"v=spf1 mx:m.test//0 -all", "2001:db9::1", "pass"},
                           {"v=spf1 mx:nothing.test -all", "192.0.2.1", "fail"},
                           {"v=spf1 mx:implicit.test -all", "192.0.2.1", "fail"},
                           {"v=spf1 mx:null.test ?all", "192.0.2.1", "neutral"},
                           {"v=spf1 mx:dangling.test -all", "192.0.2.1", "pass"},
                           {"v=spf1 mx:broken.test +all", "192.0.2.1", "temperror"},
                           {"v=spf1 mx:brokenhost.test +all", "192.0.2.1", "temperror"},
                           {"v=spf1 mx:brokenlate.test -all", "192.0.2.1", "pass"},
                           {"v=spf1 mx:brokenlate.test +all", "192.0.2.7", "temperror"},
                           {"v=spf1 mx:short.test -all", "192.0.2.1", "pass"},
                           {"v=spf1 mx:alias.test -all", "192.0.2.1", "pass"},
                           {"v=spf1 mx:ten.test -all", "198.51.100.10", "pass"},
                           {"v=spf1 mx:ten.test -all", "198.51.100.11", "fail"},
                           {"v=spf1 mx:eleven.test +all", "198.51.100.1", "permerror"},
                           {"v=spf1 mx: -all", "192.0.2.1", "permerror"},
                           {"v=spf1 mx:m.test/33 -all", "192.0.2.1", "permerror"}});
}

TEST_CASE("spf: 5.5: ptr") {
  std::string zone = R"(
      1.2.0.192.in-addr.arpa PTR mail.example.com
      mail.example.com A 192.0.2.1
      2.2.0.192.in-addr.arpa PTR example.com
      example.com A 192.0.2.2
      3.2.0.192.in-addr.arpa PTR mail.bad-example.com
      mail.bad-example.com A 192.0.2.3
      4.2.0.192.in-addr.arpa PTR mail.example.com
      5.2.0.192.in-addr.arpa SERVFAIL
      6.2.0.192.in-addr.arpa PTR broken.example.com
      6.2.0.192.in-addr.arpa PTR six.example.com
      broken.example.com TIMEOUT
      six.example.com A 192.0.2.6
      7.2.0.192.in-addr.arpa PTR MAIL7.Example.COM
      mail7.example.com A 192.0.2.7
      8.2.0.192.in-addr.arpa PTR loop.example.com
      loop.example.com CNAME loop.example.com
      5.2.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa PTR six6.example.com
      six6.example.com AAAA 2001:db8::25
      six6.example.com A 192.0.2.66
      9.2.0.192.in-addr.arpa PTR localhost
      9.2.0.192.in-addr.arpa PTR nine.example.com
      nine.example.com A 192.0.2.9
      eleven.example.com A 192.0.2.11
      ten.example.com A 192.0.2.12
  )";
  for (int i = 1; i <= 10; ++i) {
    zone += "11.2.0.192.in-addr.arpa PTR h" + std::to_string(i) + ".other.test\n";
    if (i < 10) zone += "12.2.0.192.in-addr.arpa PTR h" + std::to_string(i) + ".other.test\n";
  }
  zone += "11.2.0.192.in-addr.arpa PTR eleven.example.com\n12.2.0.192.in-addr.arpa PTR ten.example.com\n";
  check_spf_records(zone, {{"v=spf1 ptr -all", "192.0.2.1", "pass"},
                           {"v=spf1 ptr -all", "192.0.2.2", "pass"},
                           {"v=spf1 ptr -all", "192.0.2.3", "fail"},
                           {"v=spf1 ptr -all", "192.0.2.4", "fail"},
                           {"v=spf1 ptr -all", "192.0.2.5", "fail"},
                           {"v=spf1 ptr -all", "192.0.2.6", "pass"},
                           {"v=spf1 ptr -all", "192.0.2.7", "pass"},
                           {"v=spf1 ptr ?all", "192.0.2.8", "neutral"},
                           {"v=spf1 ptr -all", "192.0.2.9", "pass"},
                           {"v=spf1 ptr -all", "192.0.2.10", "fail"},
                           {"v=spf1 ptr -all", "192.0.2.11", "fail"},
                           {"v=spf1 ptr -all", "192.0.2.12", "pass"},
                           {"v=spf1 ptr -all", "2001:db8::25", "pass"},
                           {"v=spf1 ptr -all", "2001:db8::26", "fail"},
                           {"v=spf1 ptr:example.com -all", "192.0.2.1", "pass"},
                           {"v=spf1 ptr:Example.COM. -all", "192.0.2.1", "pass"},
                           {"v=spf1 ptr:mail.example.com -all", "192.0.2.1", "pass"},
                           {"v=spf1 ptr:other.example.com -all", "192.0.2.1", "fail"},
                           {"v=spf1 ptr:x.mail.example.com -all", "192.0.2.1", "fail"},
                           {"v=spf1 ptr/24 -all", "192.0.2.1", "permerror"},
                           {"v=spf1 ptr: -all", "192.0.2.1", "permerror"}});
}

TEST_CASE("spf: 5.6: ip4 and ip6") {
  check_spf_records("", {{"v=spf1 ip4:192.0.2.1 -all", "192.0.2.1", "pass"},
                         {"v=spf1 ip4:192.0.2.1 -all", "192.0.2.2", "fail"},
                         {"v=spf1 ip4:192.0.2.1/32 -all", "192.0.2.1", "pass"},
                         {"v=spf1 ip4:192.0.2.77/24 -all", "192.0.2.1", "pass"},
                         {"v=spf1 ip4:192.0.2.128/25 -all", "192.0.2.127", "fail"},
                         {"v=spf1 ip4:10.0.0.0/0 -all", "192.0.2.1", "pass"},
                         {"v=spf1 ip4:0.0.0.0/0 -all", "2001:db8::1", "fail"},
                         {"v=spf1 ip6:2001:db8::1 -all", "2001:db8::1", "pass"},
                         {"v=spf1 ip6:2001:db8::1 -all", "2001:db8::2", "fail"},
                         {"v=spf1 ip6:2001:db8::/32 -all", "2001:db8:ffff::1", "pass"},
                         {"v=spf1 ip6:2001:db8:8000::/33 -all", "2001:db8:8000::1", "pass"},
                         {"v=spf1 ip6:2001:db8:8000::/33 -all", "2001:db8:7000::1", "fail"},
                         {"v=spf1 ip6:::1/0 -all", "2001:db8::1", "pass"},
                         {"v=spf1 ip6:::1/0 ?all", "192.0.2.1", "neutral"},
                         {"v=spf1 ip6:::192.0.2.1/0 ?all", "192.0.2.1", "neutral"},
                         {"v=spf1 ip6:::ffff:192.0.2.1/0 -all", "2001:db8::1", "pass"},
                         {"v=spf1 ip6:::ffff:192.0.2.1 -all", "2001:db8::1", "fail"},
                         {"v=spf1 ip6:::ffff:192.0.2.1/1 -all", "2001:db8::1", "pass"},
                         {"v=spf1 ip4:192.0.2.1//32 -all", "192.0.2.1", "permerror"},
                         {"v=spf1 ip6:::1//33 -all", "2001:db8::1", "permerror"}});
}

TEST_CASE("spf: 5.7: exists: A records, whatever the client's address is") {
  check_spf_records(R"(
      h.test A 127.0.0.2
      v6only.test AAAA 2001:db8::1
      broken.test SERVFAIL
      1.2.0.192.joe._spf.example.com A 127.0.0.2
      1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.test A 127.0.0.2
    )",
                    {{"v=spf1 exists:h.test -all", "192.0.2.1", "pass"},
                     {"v=spf1 exists:h.test -all", "2001:db8::1", "pass"},
                     {"v=spf1 exists:v6only.test -all", "2001:db8::1", "fail"},
                     {"v=spf1 exists:v6only.test -all", "192.0.2.1", "fail"},
                     {"v=spf1 exists:nothing.test -all", "192.0.2.1", "fail"},
                     {"v=spf1 exists:broken.test +all", "192.0.2.1", "temperror"},
                     {"v=spf1 exists:%{ir}.%{l1r+-}._spf.%{d} -all", "192.0.2.1", "pass"},
                     {"v=spf1 exists:%{ir}.%{l1r+-}._spf.%{d} -all", "192.0.2.2", "fail"},
                     {"v=spf1 exists:%{ir}.%{v}.test -all", "2001:db8::1", "pass"},
                     {"v=spf1 exists -all", "192.0.2.1", "permerror"},
                     {"v=spf1 exists: -all", "192.0.2.1", "permerror"},
                     {"v=spf1 exists:h.test/24 -all", "192.0.2.1", "permerror"}});
}
