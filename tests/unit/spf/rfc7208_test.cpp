// SPF by the sections of RFC 7208, those that have no file of their own: 4.1, 4.2, 4.6.3, the limits of 4.6.4 from both
// sides, 10 and 11. The mechanisms (5), modifiers (6) and macros (7) are in the files of these names; what a receiver
// makes of a result (8) is in checks/spf_test.cpp.
#include "tests/support/spf_cases.h"

using namespace policyd;
using namespace policyd::test;

TEST_CASE("spf: 4.1, 4.2: the arguments, and every result") {
  check_spf_cases(R"(
      example.com TXT v=spf1 ip4:192.0.2.1 ip6:2001:db8::1 exists:%{l}.%{o}.at.%{d} -all
      jim.example.com.at.example.com A 127.0.0.2
      other.test TXT v=spf1 redirect=example.com
      jim.other.test.at.example.com A 127.0.0.2
      soft.test TXT v=spf1 ~all
      neutral.test TXT v=spf1 ?all
      broken.test TXT v=spf1 nonsense
      dead.test SERVFAIL
    )",
                  {{"4.1: <ip>, IPv4", "192.0.2.1", "joe@example.com", "pass"},
                   {"4.1: <ip>, IPv6", "2001:db8::1", "joe@example.com", "pass"},
                   {"4.1: <sender>, its local part", "192.0.2.2", "jim@example.com", "pass"},
                   {"4.1: <domain> of redirect, <sender> as before", "192.0.2.2", "jim@other.test", "pass"},
                   {"4.2: none", "192.0.2.1", "joe@none.test", "none"},
                   {"4.2: neutral", "192.0.2.1", "joe@neutral.test", "neutral"},
                   {"4.2: fail", "192.0.2.2", "joe@example.com", "fail"},
                   {"4.2: softfail", "192.0.2.1", "joe@soft.test", "softfail"},
                   {"4.2: temperror", "192.0.2.1", "joe@dead.test", "temperror"},
                   {"4.2: permerror", "192.0.2.1", "joe@broken.test", "permerror"}});
}

TEST_CASE("spf: 4.6.3: modifiers are no mechanisms: they never match, and stand anywhere") {
  check_spf_records("e.test TXT why\nr.test TXT v=spf1 -all",
                    {{"v=spf1 exp=e.test ip4:192.0.2.1 -all", "192.0.2.1", "pass"},
                     {"v=spf1 redirect=r.test ip4:192.0.2.1", "192.0.2.1", "pass"},
                     {"v=spf1 -exp=e.test", "192.0.2.1", "permerror"},
                     {"v=spf1 +redirect=r.test", "192.0.2.1", "permerror"},
                     {"v=spf1 ip4=192.0.2.1 -all", "192.0.2.1", "fail"},
                     {"v=spf1 all=pass", "192.0.2.1", "neutral"}});
}

TEST_CASE("spf: 4.6.4: at a limit, and one over it") {
  std::string zone = R"(
      h.test A 192.0.2.200
      h.test MX 10 h.test
      eight.test TXT v=spf1 a:h.test a:h.test a:h.test a:h.test a:h.test a:h.test a:h.test a:h.test
  )";
  for (int i = 1; i <= 40; ++i) zone += "many.test A 198.51.100." + std::to_string(i) + "\n";
  for (int i = 0; i <= 10; ++i) zone += "same.test MX " + std::to_string(i) + " h.test\n";
  for (int i = 1; i <= 11; ++i) {
    const std::string name = "n" + std::to_string(i) + ".example.com";
    zone += "7.2.0.192.in-addr.arpa PTR " + name + "\n";
    if (i == 11) zone += name + " A 192.0.2.7\n";
  }
  const std::string two = "a:h.test mx:h.test ", mixed = "v=spf1 " + two + two + two + two + "a:h.test ";
  check_spf_records(zone, {{mixed + "ptr:h.test ip4:192.0.2.1 -all", "192.0.2.1", "pass"},
                           {mixed + "ptr:h.test a:h.test ip4:192.0.2.1 -all", "192.0.2.1", "permerror"},
                           {"v=spf1 include:eight.test ip4:192.0.2.1 mx:h.test a:h.test -all", "192.0.2.1", "pass"},
                           {"v=spf1 include:eight.test a:h.test a:h.test ip4:192.0.2.1 -all", "192.0.2.1", "permerror"},
                           // Addresses are no names: there is no limit on them.
                           {"v=spf1 a:many.test -all", "198.51.100.40", "pass"},
                           // Exchangers count one by one, however often they name one host.
                           {"v=spf1 mx:same.test -all", "192.0.2.200", "permerror"},
                           // What a client's PTR records are is no fault of the domain's.
                           {"v=spf1 ptr", "192.0.2.7", "neutral"}});
}

TEST_CASE("spf: 10.1, 10.3: what domains publish for the receiver's ease") {
  check_spf_cases(R"(
      nomail.test TXT v=spf1 -all
      host.example.com TXT v=spf1 a -all
      host.example.com A 192.0.2.5
      example.com TXT v=spf1 ip4:192.0.2.0/28 -all
    )",
                  {{"10.1.2: a domain that sends nothing", "192.0.2.1", "joe@nomail.test", "fail"},
                   {"10.1.3: bounces, by the EHLO name", "192.0.2.5", "", "pass", "host.example.com"},
                   {"10.1.3: bounces, of another host", "192.0.2.6", "", "fail", "host.example.com"},
                   {"10.3: a forwarder is not the sender's", "198.51.100.1", "joe@example.com", "fail"},
                   {"10.3: a forwarder that rewrites the sender", "192.0.2.5", "fw+joe=example.com@host.example.com",
                    "pass"}});
}

TEST_CASE("spf: 11.2 to 11.5: nothing but the identity checked is believed, and words of strangers stay words") {
  check_spf_cases(R"(
      example.com TXT v=spf1 ip4:192.0.2.1 -all exp=e.example.com
      e.example.com TXT "%{l} said %{h}"
      bad.test TXT v=spf1 -all exp=e.bad.test
      e.bad.test TXT "\x1b[2J\x0d\x0a250 Ok"
    )",
                  {{"11.2: the EHLO name of a permitted host proves no sender", "192.0.2.9", "joe@example.com",
                    "fail: joe said mx.example.com", "mx.example.com"},
                   {"11.5.3: a local part with a space", "192.0.2.9", "two words@example.com",
                    "fail: two words said mail.example.com"},
                   {"11.5.3: what clients say is printable in an explanation", "192.0.2.9", "a\r\nb\x1b@example.com",
                    "fail: a??b? said x??250 y", "x\r\n250 y"},
                   {"11.5.2: an explanation that is not printable is none", "192.0.2.9", "joe@bad.test", "fail"}});
}
