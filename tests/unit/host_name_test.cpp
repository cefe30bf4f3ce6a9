// Host names and address literals.
#include "shared/host_name.h"

#include <doctest/doctest.h>
#include <string>
#include <vector>

using namespace policyd;

TEST_CASE("host_name: what is a host name, and why another is none") {
  const std::string label(63, 'a');
  const std::string longest = label + "." + label + "." + label + "." + std::string(61, 'a');
  std::string utf8_label;
  for (int i = 0; i < 59; ++i) utf8_label += "\xc3\xbc";
  struct Case {
    std::string name;
    std::string_view want;
  };
  const std::vector<Case> cases = {
      {"example.com", ""},
      {"EXAMPLE.Com", ""},
      {"example.com.", ""},
      {"localhost", ""},
      {"1and1.example", ""},
      {"12.example", ""},
      {"a-b_c.example", ""},
      {"_dmarc.example", ""},
      {"xn--bcher-kva.example", ""},
      {"b\xc3\xbc"
       "cher.example",
       ""},
      {utf8_label + ".example", ""},
      {label, ""},
      {longest, ""},
      {longest + ".", ""},
      {longest + "a", "has more than 253 characters"},
      {label + "a.example", "has a label of more than 63 characters"},
      {"", "is empty"},
      {".", "is empty"},
      {"..", "has an empty label"},
      {".example", "has an empty label"},
      {"example..com", "has an empty label"},
      {"example.com..", "has an empty label"},
      {"-a.example", "has a label that begins or ends with a hyphen"},
      {"a-.example", "has a label that begins or ends with a hyphen"},
      {"a b.example", "holds a character that no host name has"},
      {"a*.example", "holds a character that no host name has"},
      {"a:25", "holds a character that no host name has"},
      {"[192.0.2.1]", "holds a character that no host name has"},
      {"b\xfc"
       "cher.example",
       "is not valid UTF-8"},
      {"192.0.2.1", "ends in a number, as an address does"},
      {"example.123", "ends in a number, as an address does"},
      {"123", "ends in a number, as an address does"},
  };
  for (const Case& row : cases) {
    CAPTURE(row.name);
    CHECK(host_name_flaw(row.name) == row.want);
  }
}

TEST_CASE("host_name: a qualified name has a dot that is not its last octet") {
  CHECK(is_qualified("a.example"));
  CHECK(is_qualified("a.example."));
  CHECK_FALSE(is_qualified("example"));
  CHECK_FALSE(is_qualified("example."));
  CHECK_FALSE(is_qualified(""));
}

TEST_CASE("host_name: address literals as RFC 5321 writes them") {
  struct Case {
    std::string_view text;
    std::string_view want;  // empty: no literal
  };
  const std::vector<Case> cases = {
      {"[192.0.2.1]", "192.0.2.1"},
      {"[IPv6:2001:db8::1]", "2001:db8::1"},
      {"[ipv6:2001:DB8::1]", "2001:db8::1"},
      {"[IPv6:::1]", "::1"},
      {"[IPv6:::ffff:192.0.2.1]", "192.0.2.1"},
      {"[2001:db8::1]", ""},
      {"[IPv6:192.0.2.1]", ""},
      {"[IPv6:]", ""},
      {"[]", ""},
      {"[", ""},
      {"", ""},
      {"192.0.2.1", ""},
      {"[192.0.2.1", ""},
      {"[192.0.2.256]", ""},
      {"[192.0.2.1] ", ""},
      {"[x-tag:content]", ""},
  };
  for (const Case& row : cases) {
    CAPTURE(row.text);
    const auto address = parse_address_literal(row.text);
    CHECK((address ? address->to_string() : "") == row.want);
  }
}
