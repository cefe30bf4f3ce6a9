// The examples of RFC 7208: 3.5, 5, 6, 8.4 and appendix A.
#include "tests/support/spf_cases.h"

using namespace policyd;
using namespace policyd::test;

namespace {

constexpr std::string_view kSetup = R"(
    example.com MX 10 mail-a.example.com
    example.com MX 20 mail-b.example.com
    example.com A 192.0.2.10
    example.com A 192.0.2.11
    amy.example.com A 192.0.2.65
    bob.example.com A 192.0.2.66
    mail-a.example.com A 192.0.2.129
    mail-b.example.com A 192.0.2.130
    www.example.com CNAME example.com
    example.org MX 10 mail-c.example.org
    mail-c.example.org A 192.0.2.140
    10.2.0.192.in-addr.arpa PTR example.com
    11.2.0.192.in-addr.arpa PTR example.com
    65.2.0.192.in-addr.arpa PTR amy.example.com
    66.2.0.192.in-addr.arpa PTR bob.example.com
    129.2.0.192.in-addr.arpa PTR mail-a.example.com
    130.2.0.192.in-addr.arpa PTR mail-b.example.com
    140.2.0.192.in-addr.arpa PTR mail-c.example.org
    4.0.0.10.in-addr.arpa PTR bob.example.com
)";

}  // namespace

TEST_CASE("spf: A.1: simple examples") {
  check_spf_records(kSetup, {{"v=spf1 +all", "10.0.0.4", "pass"},
                             {"v=spf1 a -all", "192.0.2.10", "pass"},
                             {"v=spf1 a -all", "192.0.2.11", "pass"},
                             {"v=spf1 a -all", "192.0.2.65", "fail"},
                             {"v=spf1 a:example.org -all", "192.0.2.140", "fail"},
                             {"v=spf1 mx -all", "192.0.2.129", "pass"},
                             {"v=spf1 mx -all", "192.0.2.130", "pass"},
                             {"v=spf1 mx -all", "192.0.2.10", "fail"},
                             {"v=spf1 mx:example.org -all", "192.0.2.140", "pass"},
                             {"v=spf1 mx mx:example.org -all", "192.0.2.129", "pass"},
                             {"v=spf1 mx mx:example.org -all", "192.0.2.140", "pass"},
                             {"v=spf1 mx/30 mx:example.org/30 -all", "192.0.2.131", "pass"},
                             {"v=spf1 mx/30 mx:example.org/30 -all", "192.0.2.143", "pass"},
                             {"v=spf1 mx/30 mx:example.org/30 -all", "192.0.2.144", "fail"},
                             {"v=spf1 ptr -all", "192.0.2.65", "pass"},
                             {"v=spf1 ptr -all", "192.0.2.140", "fail"},
                             {"v=spf1 ptr -all", "10.0.0.4", "fail"},
                             {"v=spf1 ip4:192.0.2.128/28 -all", "192.0.2.65", "fail"},
                             {"v=spf1 ip4:192.0.2.128/28 -all", "192.0.2.129", "pass"}});
}

TEST_CASE("spf: A.2: several domains") {
  check_spf_cases(R"(
      example.org TXT v=spf1 include:example.com include:example.net -all
      la.example.org TXT v=spf1 redirect=example.org
      example.com TXT v=spf1 ip4:192.0.2.10 -all
      example.net TXT v=spf1 ip4:192.0.2.20 -all
    )",
                  {{"through example.com", "192.0.2.10", "joe@example.org", "pass"},
                   {"through example.net", "192.0.2.20", "joe@example.org", "pass"},
                   {"through neither", "192.0.2.30", "joe@example.org", "fail"},
                   {"redirected", "192.0.2.20", "joe@la.example.org", "pass"},
                   {"redirected", "192.0.2.30", "joe@la.example.org", "fail"}});
}

TEST_CASE("spf: A.3: in the style of a DNS list") {
  const std::string zone = std::string(kSetup) + R"(
      example.com TXT v=spf1 mx include:mobile-users._spf.%{d} include:remote-users._spf.%{d} -all
      mobile-users._spf.example.com TXT v=spf1 exists:%{l1r+}.%{d}
      remote-users._spf.example.com TXT v=spf1 exists:%{ir}.%{l1r+}.%{d}
      mary.mobile-users._spf.example.com A 127.0.0.2
      fred.mobile-users._spf.example.com A 127.0.0.2
      15.15.168.192.joel.remote-users._spf.example.com A 127.0.0.2
      16.15.168.192.joel.remote-users._spf.example.com A 127.0.0.2
    )";
  check_spf_cases(zone, {{"a mobile user", "198.51.100.1", "mary@example.com", "pass"},
                         {"with an extension", "198.51.100.1", "fred+list@example.com", "pass"},
                         {"at home", "192.168.15.15", "joel@example.com", "pass"},
                         {"elsewhere", "192.168.15.17", "joel@example.com", "fail"},
                         {"another at joel's", "192.168.15.15", "jane@example.com", "fail"},
                         {"the mail server", "192.0.2.129", "jane@example.com", "pass"}});
}

TEST_CASE("spf: A.4: several requirements") {
  const std::string zone = std::string(kSetup) + R"(
      example.com TXT "v=spf1 " "-include:ip4._spf.%{d} " "-include:ptr._spf.%{d} " "+all"
      ip4._spf.example.com TXT v=spf1 -ip4:192.0.2.0/24 +all
      ptr._spf.example.com TXT v=spf1 -ptr:example.com +all
    )";
  check_spf_cases(zone, {{"both", "192.0.2.65", "joe@example.com", "pass"},
                         {"the network alone", "192.0.2.140", "joe@example.com", "fail"},
                         {"neither", "10.0.0.4", "joe@example.com", "fail"}});
}

TEST_CASE("spf: 3.5, 6.1, 8.4, 10.1.1, appendices C and D: more examples") {
  check_spf_cases(R"(
      example.com TXT v=spf1 a:a.example.com -all
      *.example.com TXT v=spf1 a:a.example.com -all
      a.example.com A 203.0.113.1
      a.example.com TXT v=spf1 a:a.example.com -all
      la.test TXT v=spf1 redirect=_spf.test.test
      _spf.test.test TXT v=spf1 mx:mx.test -all exp=explain._spf.%{d}
      explain._spf._spf.test.test TXT See http://www.example.com/mailpolicy.html
      mx.test MX 10 mail.test
      mail.test A 192.0.2.1
      best.test TXT v=spf1 ip4:192.0.2.1 ip4:192.0.2.129 -all
      tracking.test TXT v=spf1 exists:_h.%{h}._l.%{l}._o.%{o}._i.%{i}._spf.%{d} ?all
      list.test TXT v=spf1 ?exists:%{ir}.whitelist.example.org -all
      1.2.0.192.whitelist.example.org A 127.0.0.2
      users.test TXT v=spf1 redirect=%{l1r+}._at_.%{o}._spf.%{d}
      joe._at_.users.test._spf.users.test TXT v=spf1 +all
      nomail.test TXT v=spf1 -all
      relay.test TXT v=spf1 a -all
      relay.test A 192.0.2.5
    )",
                  {{"3.5", "203.0.113.1", "joe@any.example.com", "pass"},
                   {"3.5", "203.0.113.2", "joe@a.example.com", "fail"},
                   {"6.1", "192.0.2.1", "joe@la.test", "pass"},
                   {"6.1, 8.4", "192.0.2.2", "joe@la.test", "fail: See http://www.example.com/mailpolicy.html"},
                   {"10.1.1", "192.0.2.129", "joe@best.test", "pass"},
                   {"10.1.2", "192.0.2.129", "joe@nomail.test", "fail"},
                   {"10.1.2: a host", "192.0.2.5", "", "pass", "relay.test"},
                   {"C", "192.0.2.129", "joe@tracking.test", "neutral"},
                   {"D.1: a list", "192.0.2.1", "joe@list.test", "neutral"},
                   {"D.1: not on the list", "192.0.2.2", "joe@list.test", "fail"},
                   {"D.1: per user", "192.0.2.2", "joe@users.test", "pass"},
                   {"D.1: another user", "192.0.2.2", "jim@users.test", "permerror"}});
}
