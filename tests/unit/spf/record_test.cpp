// SPF records: which TXT records they are, and their grammar (RFC 7208, 4.5, 4.6, 5, 6, 7.1 and 12).
#include "policyd/spf/record.h"

#include <doctest/doctest.h>

using namespace policyd;

namespace {

// The error, or "".
std::string flaw(std::string_view terms) {
  const auto record = parse_spf_record("v=spf1 " + std::string(terms));
  return record ? "" : record.error().message;
}

struct Case {
  std::string_view terms;
  std::string_view want;  // the part of the error that follows the quoted term; empty: a good record
};

void check(const std::vector<Case>& cases) {
  for (const Case& row : cases) {
    CAPTURE(row.terms);
    const std::string said = flaw(row.terms);
    if (row.want.empty()) CHECK(said.empty());
    if (!row.want.empty()) CHECK_MESSAGE(said.ends_with(": " + std::string(row.want)), said);
  }
}

constexpr std::string_view kUnknown = "not a mechanism, and not a modifier";
constexpr std::string_view kPrefix = "the prefix length is no number from 0 to 32 (IPv4) or 128 (IPv6)";
constexpr std::string_view kEnd = "the domain ends neither in a top-level label nor in a macro";
constexpr std::string_view kNoDomain = "a domain is missing";
constexpr std::string_view kAfterName = "what follows the name is neither \":\" nor a prefix length";
constexpr std::string_view kMacro = "a macro that does not exist, or that is badly formed";
constexpr std::string_view kOnlyExplains = "a macro that is for explanations only";
constexpr std::string_view kCharacter = "a character beyond printable ASCII";
constexpr std::string_view kNoAddress = "an address is missing";
constexpr std::string_view kV4 = "not an IPv4 network";
constexpr std::string_view kV6 = "not an IPv6 network";
constexpr std::string_view kTwice = "the modifier is there twice";

}  // namespace

TEST_CASE("spf record: 4.5: the version is v=spf1, in any case, followed by a space or nothing") {
  const auto count = [](std::vector<std::string> texts) { return select_spf_record(texts).count; };
  CHECK(count({"v=spf1"}) == 1);
  CHECK(count({"v=spf1 -all"}) == 1);
  CHECK(count({"V=SpF1 -all"}) == 1);
  CHECK(count({"v=spf1 "}) == 1);
  CHECK(count({"v=spf10 -all"}) == 0);
  CHECK(count({"v=spf1-all"}) == 0);
  CHECK(count({"v=spf1\t-all"}) == 0);
  CHECK(count({" v=spf1 -all"}) == 0);
  CHECK(count({"v=spf"}) == 0);
  CHECK(count({""}) == 0);
  CHECK(count({}) == 0);
  CHECK(count({"spf2.0/pra -all", "v=spf1 -all"}) == 1);
  CHECK(count({"v=spf1 -all", "v=spf1 -all"}) == 2);
  CHECK(count({"v=spf1", "google-site-verification=x", "V=SPF1 mx"}) == 2);
  CHECK(count({std::string("v=spf1\0-all", 11)}) == 0);
  const std::vector<std::string> texts = {"other", "v=spf1 mx"};
  CHECK(select_spf_record(texts).text == "v=spf1 mx");
}

TEST_CASE("spf record: 4.6.1: terms, qualifiers and names") {
  check({{"", ""},
         {"  ", ""},
         {"-all  ", ""},
         {"   a   mx  -all", ""},
         {"+a -a ?a ~a", ""},
         {"ALL", ""},
         {"Mx A pTr Ip4:192.0.2.1 iP6:::1", ""},
         {"!all", kUnknown},
         {"--all", kUnknown},
         {"-", kUnknown},
         {"- all", kUnknown},
         {"al", kUnknown},
         {"alle", kUnknown},
         {"ip5:192.0.2.1", kUnknown},
         {"ip:192.0.2.1", kUnknown},
         {"a=", ""},                   // a modifier of this name
         {"ip4=192.0.2.1", ""},        // likewise
         {"-ip4=192.0.2.1", kUnknown},  // which has no qualifier
         {"v=spf1", ""},
         {"a,mx", kUnknown},
         {"\xc3\xa4ll", kUnknown},
         {"all\x01", kUnknown},
         {"a\tmx", kUnknown}});
}

TEST_CASE("spf record: 5.1: all stands alone") {
  const std::string_view want = "takes nothing after its name";
  check({{"all", ""}, {"all/8", want}, {"all:example.com", want}, {"all:", want}, {"all.", kUnknown}, {"all all", ""}});
}

TEST_CASE("spf record: 5.2, 5.7: include and exists take a domain and no prefix length") {
  for (const std::string name : {"include", "exists"}) {
    check({{name + ":example.com", ""},
           {name + ":%{d}", ""},
           {name + ":_spf.%{d2}", ""},
           {name + ":example.com.", ""},
           {name, kNoDomain},
           {name + ":", kEnd},
           {name + "/24", kAfterName},
           {name + ":example.com/24", kEnd},
           {name + ":example.com//64", kEnd}});
  }
}

TEST_CASE("spf record: 5.3, 5.4: a and mx, with domain and dual prefix lengths") {
  for (const std::string name : {"a", "mx"}) {
    check({{name, ""},
           {name + "/0", ""},
           {name + "/32", ""},
           {name + "//0", ""},
           {name + "//128", ""},
           {name + "/24//64", ""},
           {name + ":example.com", ""},
           {name + ":example.com/24", ""},
           {name + ":example.com//64", ""},
           {name + ":example.com/24//64", ""},
           {name + ":%{d}/24", ""},
           {name + ":%{l/}.example.com/24", ""},
           {name + ":foo:bar/baz.example.com", ""},
           {name + ":foo/8.example.com//8", ""},
           {name + ":", kEnd},
           {name + ":/24", kEnd},
           {name + "/", kAfterName},
           {name + "//", kAfterName},
           {name + "/33", kPrefix},
           {name + "/032", kPrefix},
           {name + "/00", kPrefix},
           {name + "/1234", kPrefix},
           {name + "/-1", kAfterName},
           {name + "/24/16", kAfterName},
           {name + "/24/64", kPrefix},
           {name + "///64", kAfterName},
           {name + "//129", kPrefix},
           {name + "//064", kPrefix},
           {name + "/24//", kAfterName},
           {name + "//64/24", kAfterName},
           {name + "//10//24", kAfterName},
           {name + ":example.com/", kEnd},
           {name + ":example.com:8080", kEnd},
           {name + ":example.com/24x", kEnd}});
  }
}

TEST_CASE("spf record: 5.5: ptr, with a domain and no prefix length") {
  check({{"ptr", ""}, {"ptr:example.com", ""}, {"ptr:", kEnd}, {"ptr/24", kAfterName}, {"ptr:example.com/24", kEnd}});
}

TEST_CASE("spf record: 5.6: ip4 and ip6") {
  check({{"ip4:192.0.2.1", ""},
         {"ip4:192.0.2.0/24", ""},
         {"ip4:192.0.2.1/24", ""},  // host bits do not matter
         {"ip4:0.0.0.0/0", ""},
         {"ip4:255.255.255.255/32", ""},
         {"ip4", kNoAddress},
         {"ip4:", kV4},
         {"ip4/24", kNoAddress},
         {"ip4:192.0.2", kV4},
         {"ip4:192.0.2.", kV4},
         {"ip4:192.0.2.256", kV4},
         {"ip4:192.0.2.01", kV4},
         {"ip4:192.0.2.1.1", kV4},
         {"ip4:192.0.2.1:25", kV4},
         {"ip4:example.com", kV4},
         {"ip4:%{i}", kV4},
         {"ip4:::1", kV4},
         {"ip4:192.0.2.0/33", kPrefix},
         {"ip4:192.0.2.0/024", kPrefix},
         {"ip4:192.0.2.0/", kPrefix},
         {"ip4:192.0.2.0/24/24", kPrefix},
         {"ip4:192.0.2.0//24", kPrefix},
         {"ip4:192.0.2.0/ 24", kPrefix},
         {"ip6:2001:db8::1", ""},
         {"ip6:2001:db8::/32", ""},
         {"ip6:2001:DB8::CD30/0", ""},
         {"ip6:::", ""},
         {"ip6:::1/128", ""},
         {"ip6:::ffff:192.0.2.1", ""},
         {"ip6:64:ff9b::192.0.2.33/96", ""},
         {"ip6", kNoAddress},
         {"ip6:", kV6},
         {"ip6:192.0.2.1", kV6},
         {"ip6:2001:db8", kV6},
         {"ip6::2001:db8::1", kV6},
         {"ip6:2001::db8::1", kV6},
         {"ip6:2001:db8::1%eth0", kV6},
         {"ip6:[2001:db8::1]", kV6},
         {"ip6:2001:db8::g", kV6},
         {"ip6:2001:db8::/129", kPrefix},
         {"ip6:2001:db8::/032", kPrefix},
         {"ip6:2001:db8:://32", kPrefix}});
}

TEST_CASE("spf record: 6: modifiers: redirect and exp once at most, any others ever so often") {
  check({{"redirect=example.com", ""},
         {"REDIRECT=example.com", ""},
         {"redirect=example.com a -all", ""},
         {"exp=explain.example.com redirect=%{d}", ""},
         {"redirect=example.com redirect=example.com", kTwice},
         {"redirect=example.com Redirect=example.com", kTwice},
         {"exp=e.example.com exp=e.example.com", kTwice},
         {"redirect=", kEnd},
         {"exp=", kEnd},
         {"redirect", kUnknown},
         {"redirect:example.com", kUnknown},
         {"exp:example.com", kUnknown},
         {"redirect=example.com/24", kEnd},
         {"exp=%{c}.example.com", kOnlyExplains},
         {"moo=", ""},
         {"moo=a moo=a moo=b", ""},
         {"moo.cow-far_out=man:dog/cat", ""},
         {"moo2=%{d}%%%_%-", ""},
         {"moo=%{t}", ""},
         {"default=pass", ""},
         {"moo=%abc", kMacro},
         {"moo=%{x}", kMacro},
         {"moo=\x80", kCharacter},
         {"2moo=cow", kUnknown},
         {"_moo=cow", kUnknown},
         {"=all", kUnknown},
         {"moo!cow=far", kUnknown},
         {"moo/cow:far=man", kUnknown}});
}

TEST_CASE("spf record: 7.1: domain-spec: how it ends") {
  check({{"a:example.com", ""},
         {"a:example.com.", ""},
         {"a:example.com..", kEnd},
         {"a:museum", kEnd},
         {"a:museum.", kEnd},
         {"a:.museum", ""},
         {"a:111.222.33.44", kEnd},
         {"a:example.123", kEnd},
         {"a:example.1a", ""},
         {"a:example.a-b", ""},
         {"a:example.1-2", ""},
         {"a:example.a--b", ""},
         {"a:example.-ab", kEnd},
         {"a:example.ab-", kEnd},
         {"a:example.a_b", kEnd},
         {"a:example.xn--zckzah", ""},
         {"a:%{d}", ""},
         {"a:%{d}.", kEnd},
         {"a:%{d}com", kEnd},
         {"a:%{d}.com", ""},
         {"a:%{d}.com.", ""},
         {"a:example.%{d1}", ""},
         {"a:example%%", ""},
         {"a:%-%_", ""},
         {"a:a..example.com", ""},
         {"a:\"quoted\"!#$&'()*,;<=>?@[\\]^_`{|}~.example.com", ""}});
}

TEST_CASE("spf record: 7.1: macros: letters, transformers, delimiters") {
  check({{"a:%{s}", ""}, {"a:%{l}", ""}, {"a:%{o}", ""}, {"a:%{d}", ""}, {"a:%{i}", ""}, {"a:%{p}", ""},
         {"a:%{v}", ""}, {"a:%{h}", ""}, {"a:%{S}", ""}, {"a:%{H}", ""},
         {"a:%{c}", kOnlyExplains},
         {"a:%{r}", kOnlyExplains},
         {"a:%{t}", kOnlyExplains},
         {"a:%{T}.example.com", kOnlyExplains},
         {"a:%{d2}", ""},
         {"a:%{d127}", ""},
         {"a:%{d99999999999999999999999}", ""},
         {"a:%{dr}", ""},
         {"a:%{d2R}", ""},
         {"a:%{l1r+-}", ""},
         {"a:%{l.-+,/_=}", ""},
         {"a:%{d0}", kMacro},
         {"a:%{d00}", kMacro},
         {"a:%{d01}", ""},
         {"a:%{dr2}", kMacro},
         {"a:%{d-2}", kMacro},
         {"a:%{drr}", kMacro},
         {"a:%{d!}", kMacro},
         {"a:%{d+r}", kMacro},
         {"a:%{}", kMacro},
         {"a:%{", kMacro},
         {"a:%{d", kMacro},
         {"a:%{x}", kMacro},
         {"a:%{dd}", kMacro},
         {"a:%(d)", kMacro},
         {"a:%d.example.com", kMacro},
         {"a:example.com%", kMacro},
         {"a:%{ d}", kMacro},
         {"a:%%%", kMacro},
         {"a:caf\xc3\xa9.example.com", kCharacter}});
}

TEST_CASE("spf record: what is read from a good one") {
  const std::string text =
      "V=SPF1 ~A:Example.com/24//64 ip4:192.0.2.9/29 ip6:2001:db8::/33 include:i.test exists:e.test "
      "mx//10 ptr:p.test x=y exp=%{d} redirect=r.test -all ";
  const auto record = parse_spf_record(text);
  REQUIRE(record.ok());
  CHECK(record->redirect == "r.test");
  CHECK(record->exp == "%{d}");
  REQUIRE(record->directives.size() == 8);
  const SpfDirective& a = record->directives[0];
  CHECK(a.mechanism == SpfMechanism::a);
  CHECK(a.qualifier == SpfResult::softfail);
  CHECK(a.domain_spec == "Example.com");
  CHECK(int(a.prefix_v4) == 24);
  CHECK(int(a.prefix_v6) == 64);
  CHECK(a.text == "~A:Example.com/24//64");
  CHECK(record->directives[1].address.to_string() == "192.0.2.9");
  CHECK(int(record->directives[1].prefix_v4) == 29);
  CHECK(int(record->directives[2].prefix_v6) == 33);
  CHECK(record->directives[3].domain_spec == "i.test");
  CHECK(record->directives[4].mechanism == SpfMechanism::exists);
  CHECK(int(record->directives[5].prefix_v4) == 32);
  CHECK(int(record->directives[5].prefix_v6) == 10);
  CHECK(record->directives[6].mechanism == SpfMechanism::ptr);
  CHECK(record->directives[7].qualifier == SpfResult::fail);
}

TEST_CASE("spf record: an error quotes the term, whatever octets it has") {
  CHECK(flaw("a ip4:1.2.3 -all") == "\"ip4:1.2.3\": not an IPv4 network");
  CHECK(flaw("-all nonsense") == "\"nonsense\": not a mechanism, and not a modifier");
  CHECK(flaw("a:\xff\n.com") == "\"a:\\xff\\x0a.com\": a character beyond printable ASCII");
  CHECK(flaw(std::string(1000, 'x')) == "\"" + std::string(100, 'x') + "\"...: not a mechanism, and not a modifier");
}
