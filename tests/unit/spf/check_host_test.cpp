// SPF, from identities to records and results (RFC 7208, sections 2 to 4).
#include "tests/support/spf_cases.h"

using namespace policyd;
using namespace policyd::test;

TEST_CASE("spf: 2.3, 2.4, 4.3: identities, and domains that are none") {
  const std::string label63(63, 'a'), label64(64, 'a');
  std::string umlauts;
  for (int i = 0; i < 62; ++i) umlauts += "ü";
  const std::string zone = R"(
    example.com TXT v=spf1 ip4:192.0.2.1 -all exp=who.example.com
    who.example.com TXT "%{s} | %{l} | %{o} | %{d} | %{h}"
    helo.example.com TXT v=spf1 ip4:192.0.2.2 -all exp=who.example.com
    )" + label63 + R"(.example.com TXT v=spf1 -all
    bücher.example TXT v=spf1 -all
    *.deep.example.com TXT v=spf1 ?all
  )";
  const std::string long_name = "joe@" + std::string(60, 'a') + "." + std::string(60, 'b') + "." +
                                std::string(60, 'c') + "." + std::string(59, 'd') + ".deep.example.com";
  REQUIRE(long_name.size() - 4 == 259);
  check_spf_cases(
      zone, {{"2.4: the envelope sender", "192.0.2.1", "joe@example.com", "pass", "helo.example.com"},
             {"2.4: not the EHLO name", "192.0.2.2", "joe@example.com",
              "fail: joe@example.com | joe | example.com | example.com | helo.example.com", "helo.example.com"},
             {"2.4: the null sender is postmaster at the EHLO name", "192.0.2.1", "",
              "fail: postmaster@helo.example.com | postmaster | helo.example.com | helo.example.com | helo.example.com",
              "helo.example.com"},
             {"2.4: the null sender", "192.0.2.2", "", "pass", "helo.example.com"},
             {"4.3: no local part", "192.0.2.2", "@example.com",
              "fail: postmaster@example.com | postmaster | example.com | example.com | mail.example.com"},
             {"4.3: a domain alone", "192.0.2.2", "example.com",
              "fail: postmaster@example.com | postmaster | example.com | example.com | mail.example.com"},
             {"4.3: the last @ divides", "192.0.2.2", "a@b@example.com",
              "fail: a@b@example.com | a@b | example.com | example.com | mail.example.com"},
             {"4.3: in any case", "192.0.2.1", "joe@EXAMPLE.Com", "pass"},
             {"4.3: a dot at the end", "192.0.2.1", "joe@example.com.", "pass"},
             {"4.3: two dots at the end", "192.0.2.1", "joe@example.com..", "none"},
             {"4.3: an empty label", "192.0.2.1", "joe@a..example.com", "none"},
             {"4.3: an empty label at the start", "192.0.2.1", "joe@.example.com", "none"},
             {"4.3: no domain", "192.0.2.1", "joe@", "none"},
             {"4.3: a label of 63", "192.0.2.1", "joe@" + label63 + ".example.com", "fail"},
             {"4.3: a label of 64", "192.0.2.1", "joe@" + label64 + ".example.com", "none"},
             {"4.3: a name of 259", "192.0.2.1", long_name, "none"},
             {"4.3: not fully qualified", "192.0.2.1", "joe@localhost", "none"},
             {"4.3: a literal", "192.0.2.1", "joe@[192.0.2.1]", "none"},
             {"4.3: an IPv6 literal", "192.0.2.1", "joe@[IPv6:2001:db8::1]", "none"},
             {"4.3: an address", "192.0.2.1", "joe@192.0.2.1", "none"},
             {"4.3: a space", "192.0.2.1", "joe@exa mple.com", "none"},
             {"2.3: EHLO not fully qualified", "192.0.2.1", "", "none", "A2345678"},
             {"2.3: EHLO literal", "192.0.2.1", "", "none", "[192.0.2.1]"},
             {"2.3: EHLO address", "192.0.2.1", "", "none", "192.0.2.1"},
             {"2.3: no EHLO", "192.0.2.1", "", "none", ""},
             {"2.3: odd EHLO", "192.0.2.1", "", "none", "JUMPIN' JUPITER.example.com"},
             {"2.3: EHLO with an @", "192.0.2.1", "", "none", "joe@example.com"},
             {"4.3: a U-label", "192.0.2.1", "joe@bücher.example", "fail"},
             {"4.3: no valid U-label", "192.0.2.1", "joe@\xcc\x81.example.com", "none"},
             {"4.3: a U-label whose A-label is too long", "192.0.2.1", "joe@" + umlauts + ".example.com", "none"},
             {"2.3: EHLO with no valid U-label", "192.0.2.1", "", "none", "\xcc\x81.example.com"},
             {"5.2: an include of what is no valid U-label", "192.0.2.1", "joe@\xcc\x81.include.example.com", "none"},
             {"4.3: broken UTF-8", "192.0.2.1", "joe@\xff.example.com", "none"},
             {"4.3: NXDOMAIN", "192.0.2.1", "joe@nothing.example.com", "none"}});
}

TEST_CASE("spf: 3.1, 3.3, 4.4, 4.5: looking up and selecting the record") {
  check_spf_cases(R"(
      nodata.test A 192.0.2.1
      other.test TXT some text
      one.test TXT some text
      one.test TXT v=spf1 -all
      one.test TXT spf2.0/pra ?all
      two.test TXT v=spf1 -all
      two.test TXT v=spf1 -all
      twocases.test TXT v=spf1 -all
      twocases.test TXT V=SPF1 ?all
      strings.test TXT "v=sp" "f1 ip4:192.0.2" ".1 -a" "ll"
      nospace.test TXT "v=spf1" "ip4:192.0.2.1 -all"
      nospace2.test TXT "v=spf1 " "ip4:192.0.2.1" "-all"
      ten.test TXT v=spf10 -all
      versiononly.test TXT v=spf1
      spaces.test TXT "v=spf1   -all   "
      empty.test TXT ""
      octets.test TXT "\xff\xfe\x00"
      octets.test TXT v=spf1 -all
      badoctets.test TXT "v=spf1 ip4:192.0.2.1 \xef\xbb\xbf-all"
      badoctets2.test TXT "v=spf1 a:caf\xc3\xa9.test -all"
      badoctets3.test TXT "v=spf1 x=\xe9 -all"
      control.test TXT "v=spf1 a:ctrl.test -all\x0dptr"
      nul.test TXT "v=spf1 a:abc.123\x00.com -all"
      servfail.test SERVFAIL
      timeout.test TIMEOUT
      malformed.test MALFORMED
      txtservfail.test SERVFAIL TXT
      txtservfail.test A 192.0.2.1
      otherservfail.test SERVFAIL A
      otherservfail.test TXT v=spf1 -all
      alias.test CNAME one.test
      loop.test CNAME loop.test
      *.wild.test TXT v=spf1 ip4:192.0.2.1 -all
    )",
                  {{"4.5: no TXT records", "192.0.2.1", "joe@nodata.test", "none"},
                   {"4.5: no SPF record", "192.0.2.1", "joe@other.test", "none"},
                   {"4.5: one of several", "192.0.2.1", "joe@one.test", "fail"},
                   {"4.5: two", "192.0.2.1", "joe@two.test", "permerror"},
                   {"4.5: two, in any case", "192.0.2.1", "joe@twocases.test", "permerror"},
                   {"3.3: strings are joined", "192.0.2.1", "joe@strings.test", "pass"},
                   {"3.3: without a space", "192.0.2.1", "joe@nospace.test", "none"},
                   {"3.3: without a space, within", "192.0.2.1", "joe@nospace2.test", "permerror"},
                   {"4.5: v=spf10", "192.0.2.1", "joe@ten.test", "none"},
                   {"4.5, 4.7: the version alone", "192.0.2.1", "joe@versiononly.test", "neutral"},
                   {"4.6.1: spaces", "192.0.2.1", "joe@spaces.test", "fail"},
                   {"4.5: an empty TXT record", "192.0.2.1", "joe@empty.test", "none"},
                   {"3.1: what is no SPF record may hold any octets", "192.0.2.1", "joe@octets.test", "fail"},
                   {"3.1: what is one must not", "192.0.2.1", "joe@badoctets.test", "permerror"},
                   {"3.1: nor in a domain", "192.0.2.1", "joe@badoctets2.test", "permerror"},
                   {"3.1: nor in a modifier", "192.0.2.1", "joe@badoctets3.test", "permerror"},
                   {"3.1: control characters", "192.0.2.1", "joe@control.test", "permerror"},
                   {"3.1: NUL", "192.0.2.1", "joe@nul.test", "permerror"},
                   {"4.4: SERVFAIL", "192.0.2.1", "joe@servfail.test", "temperror"},
                   {"4.4: time-out", "192.0.2.1", "joe@timeout.test", "temperror"},
                   {"4.4: malformed", "192.0.2.1", "joe@malformed.test", "temperror"},
                   {"4.4: SERVFAIL for TXT", "192.0.2.1", "joe@txtservfail.test", "temperror"},
                   {"4.4: SERVFAIL for what is not asked for", "192.0.2.1", "joe@otherservfail.test", "fail"},
                   {"4.4: CNAME", "192.0.2.1", "joe@alias.test", "fail"},
                   {"4.4: CNAME loop", "192.0.2.1", "joe@loop.test", "none"},
                   {"3.5: wildcard", "192.0.2.1", "joe@any.wild.test", "pass"},
                   {"3.5: not the name above", "192.0.2.1", "joe@wild.test", "none"}});
}

TEST_CASE("spf: 2.6, 4.6.2, 4.7: qualifiers and the default result") {
  check_spf_records("", {{"v=spf1 +all", "192.0.2.1", "pass"},
                         {"v=spf1 all", "192.0.2.1", "pass"},
                         {"v=spf1 -all", "192.0.2.1", "fail"},
                         {"v=spf1 ~all", "192.0.2.1", "softfail"},
                         {"v=spf1 ?all", "192.0.2.1", "neutral"},
                         {"v=spf1 -ip4:192.0.2.1 +all", "192.0.2.1", "fail"},
                         {"v=spf1 ~ip4:192.0.2.0/24 +all", "192.0.2.1", "softfail"},
                         {"v=spf1 ?ip4:192.0.2.1 -ip4:192.0.2.1", "192.0.2.1", "neutral"},
                         {"v=spf1", "192.0.2.1", "neutral"},
                         {"v=spf1 ip4:192.0.2.2", "192.0.2.1", "neutral"},
                         {"v=spf1 default=pass", "192.0.2.1", "neutral"},
                         {"v=spf1 all -all", "192.0.2.1", "pass"}});
}

TEST_CASE("spf: 4.6: the whole record is held to the grammar before any of it is evaluated") {
  check_spf_records("a.test A 192.0.2.1",
                    {{"v=spf1 +all ip4:1.2.3", "192.0.2.1", "permerror"},
                     {"v=spf1 -all ip4:1.2.3", "192.0.2.1", "permerror"},
                     {"v=spf1 a:a.test nonsense", "192.0.2.1", "permerror"},
                     {"v=spf1 +all redirect=", "192.0.2.1", "permerror"},
                     {"v=spf1 +all exp=a.test exp=a.test", "192.0.2.1", "permerror"},
                     {"v=spf1 +all x=%", "192.0.2.1", "permerror"},
                     {"v=spf1 +all exists:%(ir).a.test", "192.0.2.1", "permerror"},
                     {"v=spf1 a:a.test moo.cow-far_out=man:dog/cat -all", "192.0.2.1", "pass"},
                     {"v=spf1 redirect:a.test", "192.0.2.1", "permerror"}});
}

TEST_CASE("spf: 4.8: names that a macro makes invalid are not asked for, and hold nothing") {
  const std::string label64(64, 'a');
  const std::string zone = "ok.test A 192.0.2.1\n";
  check_spf_records(zone, {{"v=spf1 a:a..test -all", "192.0.2.1", "fail"},
                           {"v=spf1 mx:a..test -all", "192.0.2.1", "fail"},
                           {"v=spf1 exists:a..test -all", "192.0.2.1", "fail"},
                           {"v=spf1 ptr:a..test ?all", "192.0.2.1", "neutral"},
                           {"v=spf1 a:" + label64 + ".test a:ok.test -all", "192.0.2.1", "pass"},
                           {"v=spf1 exists:%{l4096}." + label64 + ".test -all", "192.0.2.1", "fail"},
                           {"v=spf1 a:%{d1} -all", "192.0.2.1", "fail"},
                           {"v=spf1 include:a..test ?all", "192.0.2.1", "permerror"},
                           {"v=spf1 redirect=a..test", "192.0.2.1", "permerror"},
                           {"v=spf1 include:%{d1} ?all", "192.0.2.1", "permerror"},
                           {"v=spf1 a:a..test a:b..test a:c..test a:ok.test -all", "192.0.2.1", "pass"}});
}

TEST_CASE("spf: clients on IPv4-mapped IPv6 addresses are IPv4") {
  check_spf_records("h.test A 192.0.2.1\nh.test AAAA 2001:db8::1",
                    {{"v=spf1 ip4:192.0.2.1 -all", "::ffff:192.0.2.1", "pass"},
                     {"v=spf1 ip6:::ffff:192.0.2.1 ?all", "::ffff:192.0.2.1", "neutral"},
                     {"v=spf1 ip6:::/0 ?all", "::ffff:192.0.2.1", "neutral"},
                     {"v=spf1 a:h.test -all", "::FFFF:192.0.2.1", "pass"},
                     {"v=spf1 a:h.test//0 -all", "::ffff:192.0.2.9", "fail"},
                     {"v=spf1 exists:%{v}.h.test ?all", "::ffff:192.0.2.1", "neutral"}});
}

TEST_CASE("spf: what an outcome says for people") {
  const auto problem = [](std::string_view zone, std::string_view sender) {
    SpfOutcome outcome;
    spf_said(zone, {"", "192.0.2.1", sender, ""}, &outcome);
    return outcome.problem.empty() ? outcome.mechanism : outcome.problem;
  };
  CHECK(problem("", "joe@example.com") == "example.com has no SPF record");
  CHECK(problem("", "joe@localhost") == "\"localhost\" is no domain that can have an SPF record");
  CHECK(problem("example.com SERVFAIL", "joe@example.com") == "the TXT records of example.com cannot be looked up");
  CHECK(problem("example.com TXT v=spf1 ip4:1 -all", "joe@example.com") ==
        "the SPF record of example.com: \"ip4:1\": not an IPv4 network");
  CHECK(problem("example.com TXT v=spf1\nexample.com TXT v=spf1", "joe@example.com") ==
        "example.com has more than one SPF record");
  CHECK(problem("example.com TXT v=spf1 a:x.test -all\nx.test TIMEOUT", "joe@example.com") ==
        "\"a:x.test\": x.test cannot be looked up");
  CHECK(problem("example.com TXT v=spf1 redirect=x.test", "joe@example.com") == "x.test has no SPF record");
  CHECK(problem("example.com TXT v=spf1 include:x.test", "joe@example.com") == "x.test has no SPF record");
  CHECK(problem("example.com TXT v=spf1 include:a..b", "joe@example.com") ==
        "\"include:a..b\" includes what is no domain");
  CHECK(problem("example.com TXT v=spf1 redirect=a..b", "joe@example.com") ==
        "example.com redirects to what is no domain");
  CHECK(problem("example.com TXT v=spf1 a:x.test a:y.test a:z.test", "joe@example.com") ==
        "more than 2 terms whose look-ups find nothing");
  CHECK(problem("example.com TXT v=spf1 include:example.com", "joe@example.com") ==
        "more than 10 terms that need DNS look-ups");
  CHECK(problem("example.com TXT v=spf1 Ip4:192.0.2.0/24 -all", "joe@example.com") == "Ip4:192.0.2.0/24");
  CHECK(problem("example.com TXT v=spf1 redirect=x.test\nx.test TXT v=spf1 ~all", "joe@example.com") == "~all");
  CHECK(problem("example.com TXT v=spf1 include:x.test\nx.test TXT v=spf1 +all", "joe@example.com") ==
        "include:x.test");
  CHECK(problem("example.com TXT v=spf1", "joe@example.com") == "");
}
