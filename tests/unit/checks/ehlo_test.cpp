// ehlo: what a client may call itself.
#include <doctest/doctest.h>

#include "shared/local_host.h"
#include "tests/support/make_request.h"

using namespace policyd;

namespace {

struct Case {
  std::string_view name, client, want;
};

Config our_config() {
  Config config{};
  config.traffic.own_names = {"mail.example.net", "mx"};
  config.traffic.own_addresses = {*Network::parse("198.51.100.0/28"),
                                  *Network::parse("2001:db8:5::/64")};
  config.traffic.networks = {*Network::parse("10.0.0.0/8")};
  return config;
}

void run(const Config& config, const std::vector<Case>& cases) {
  for (const Case& row : cases) {
    CAPTURE(row.name);
    std::string attributes = "protocol_state=RCPT\nserver_address=192.0.2.25\nhelo_name=";
    attributes.append(row.name).append("\nclient_address=").append(row.client);
    CHECK(observe("ehlo", attributes, config) == row.want);
  }
}

}  // namespace

TEST_CASE("ehlo: names that are host names, and those that are none") {
  const std::string overlong(1000, 'x');
  const std::string shown =
      "syntax (has more than 253 characters: " + overlong.substr(0, 200) + ")";
  run(our_config(),
      {
          {"mx.example.com", "203.0.113.9", ""},
          {"MX.Example.COM.", "203.0.113.9", ""},
          {"my_host.example.com", "203.0.113.9", ""},
          {"b\xc3\xbc"
           "cher.example",
           "203.0.113.9", ""},
          {"", "203.0.113.9", ""},
          {"localhost", "203.0.113.9", "unqualified (no dot: localhost)"},
          {"localhost.", "203.0.113.9", "unqualified (no dot: localhost.)"},
          {"we?ird.example", "203.0.113.9",
           "syntax (holds a character that no host name has: we?ird.example)"},
          {"mx..example.com", "203.0.113.9", "syntax (has an empty label: mx..example.com)"},
          {"203.0.113.9", "203.0.113.9",
           "syntax (a bare address, a literal has brackets: 203.0.113.9)"},
          {"2001:db8::9", "2001:db8::9",
           "syntax (a bare address, a literal has brackets: 2001:db8::9)"},
          {"203.0.113", "203.0.113.9", "syntax (ends in a number, as an address does: 203.0.113)"},
          {overlong, "203.0.113.9", shown},
      });
}

TEST_CASE("ehlo: an address literal is the client's or it is a finding") {
  run(our_config(),
      {
          {"[203.0.113.9]", "203.0.113.9", ""},
          {"[203.0.113.9]", "::ffff:203.0.113.9", ""},
          {"[IPv6:::ffff:203.0.113.9]", "203.0.113.9", ""},
          {"[ipv6:2001:DB8:0::9]", "2001:db8::9", ""},
          {"[203.0.113.8]", "203.0.113.9", "literal (said by 203.0.113.9: [203.0.113.8])"},
          {"[192.168.1.2]", "10.1.2.3", "literal (said by 10.1.2.3: [192.168.1.2])"},
          {"[2001:db8::9]", "2001:db8::9",
           "syntax (holds a character that no host name has: [2001:db8::9])"},
          {"[203.0.113.9", "203.0.113.9",
           "syntax (holds a character that no host name has: [203.0.113.9)"},
      });
}

TEST_CASE("ehlo: our own names and addresses are ours, unless we say them ourselves") {
  run(our_config(),
      {
          {"mail.example.net", "203.0.113.9", "ours (said by 203.0.113.9: mail.example.net)"},
          {"MAIL.example.net.", "203.0.113.9", "ours (said by 203.0.113.9: MAIL.example.net.)"},
          {"a.mail.example.net", "203.0.113.9", ""},
          {"mx", "203.0.113.9", "ours (said by 203.0.113.9: mx)"},
          {"[192.0.2.25]", "203.0.113.9", "ours (said by 203.0.113.9: [192.0.2.25])"},
          {"192.0.2.25", "203.0.113.9", "ours (said by 203.0.113.9: 192.0.2.25)"},
          {"[198.51.100.3]", "203.0.113.9", "ours (said by 203.0.113.9: [198.51.100.3])"},
          {"[IPv6:2001:db8:5::1]", "2001:db8::9",
           "ours (said by 2001:db8::9: [IPv6:2001:db8:5::1])"},
          // Our other nodes, this host itself and our networks.
          {"mail.example.net", "198.51.100.3", ""},
          {"mail.example.net", "192.0.2.25", ""},
          {"mail.example.net", "10.1.2.3", ""},
          {"[192.0.2.25]", "192.0.2.25", ""},
          {"mx", "10.1.2.3", "unqualified (no dot: mx)"},
      });
}

TEST_CASE("ehlo: a client whose address is not known costs only what needs it") {
  run(our_config(),
      {
          {"mx.example.com", "unknown", ""},
          {"localhost", "unknown", "unqualified (no dot: localhost)"},
          {"mail.example.net", "unknown",
           "error: the client's address is not known: client_address=\"unknown\""},
          {"[203.0.113.9]", "", "error: the client's address is not known: client_address=\"\""},
      });
}

TEST_CASE("ehlo: without own_names the system's host name is ours") {
  const std::string& name = local_host_name();
  REQUIRE_FALSE(name.empty());
  const std::string attributes =
      "client_address=203.0.113.9\nserver_address=192.0.2.25\nhelo_name=" + name;
  CHECK(observe("ehlo", attributes) == "ours (said by 203.0.113.9: " + name + ")");
}
