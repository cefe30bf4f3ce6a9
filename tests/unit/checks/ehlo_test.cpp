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

// Every name exists.
constexpr std::string_view kNames = "*.com A 203.0.113.9\n*.net A 203.0.113.9\n*.example A 203.0.113.9";

void run(const Config& config, const std::vector<Case>& cases) {
  for (const Case& row : cases) {
    CAPTURE(row.name);
    std::string attributes = "protocol_state=RCPT\nserver_address=192.0.2.25\nhelo_name=";
    attributes.append(row.name).append("\nclient_address=").append(row.client);
    test::FakeResolver resolver(kNames);
    CHECK(observe("ehlo", attributes, config, resolver) == row.want);
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

TEST_CASE("ehlo: a sound name is looked up") {
  constexpr std::string_view kZone = R"(
    mx.example.com A 203.0.113.9
    mx.example.com AAAA 2001:db8::9
    v6.example.com AAAA 2001:db8::9
    mail.example.com MX 10 mx.example.com
    text.example.com TXT no address
    bücher.example A 203.0.113.9
    dead.example.com SERVFAIL
    slow.example.com TIMEOUT AAAA
    half.example.com A 198.51.100.1
    half.example.com TIMEOUT AAAA
  )";
  Config config = our_config();
  CheckSettings settings = settings_of(check_named("ehlo").spec, config);
  settings.weights[0].back() = 1;  // mismatch
  config.checks.emplace("ehlo", settings);
  const std::vector<Case> cases = {
      {"mx.example.com", "203.0.113.9", ""},
      {"MX.example.com.", "2001:db8::9", ""},
      {"bücher.example", "203.0.113.9", ""},
      {"mx.example.com", "203.0.113.8", "mismatch (said by 203.0.113.8: mx.example.com)"},
      {"v6.example.com", "203.0.113.9", "mismatch (said by 203.0.113.9: v6.example.com)"},
      {"mail.example.com", "203.0.113.9", ""},
      {"text.example.com", "203.0.113.9", "unresolvable (neither address nor MX: text.example.com)"},
      {"none.example.com", "203.0.113.9", "unresolvable (neither address nor MX: none.example.com)"},
      {"none.example.com", "unknown", "unresolvable (neither address nor MX: none.example.com)"},
      {"mx.example.com", "unknown", "error: the client's address is not known"},
      {"dead.example.com", "203.0.113.9", "error: the DNS servers cannot tell (SERVFAIL, REFUSED): dead.example.com"},
      {"slow.example.com", "203.0.113.9", "error: no DNS answer in time: slow.example.com"},
      {"half.example.com", "203.0.113.9", "mismatch (said by 203.0.113.9: half.example.com)"},
      {"half.example.com", "2001:db8::9", "error: no DNS answer in time: half.example.com"},
  };
  for (const Case& row : cases) {
    CAPTURE(row.name);
    CAPTURE(row.client);
    const std::string attributes = "helo_name=" + std::string(row.name) + "\nclient_address=" + std::string(row.client);
    for (const bool later : {false, true}) {
      test::FakeResolver resolver(kZone);
      resolver.set_later(later);
      CHECK(observe("ehlo", attributes, config, resolver) == row.want);
      CHECK(resolver.asked().size() == 3);  // all at once
    }
  }
}

TEST_CASE("ehlo: a name that the DNS cannot have does not exist") {
  test::FakeResolver resolver(kNames);
  CHECK(observe("ehlo", "client_address=203.0.113.9\nhelo_name=\xcc\x81.example", our_config(), resolver) ==
        "unresolvable (neither address nor MX: \xcc\x81.example)");
  CHECK(resolver.asked().empty());
}

TEST_CASE("ehlo: nothing is asked that is known or weighs nothing") {
  Config config = our_config();
  CheckSettings settings = settings_of(check_named("ehlo").spec, config);
  // Confirmed by Postfix; an address; our own name; a name with a flaw.
  CHECK(observe("ehlo", "client_address=203.0.113.9\nclient_name=mx.example.com\nhelo_name=MX.example.com",
                config) == "");
  CHECK(observe("ehlo", "client_address=203.0.113.9\nhelo_name=[203.0.113.9]", config) == "");
  CHECK(observe("ehlo", "client_address=10.1.2.3\nhelo_name=mail.example.net", config) == "");
  CHECK(observe("ehlo", "client_address=10.1.2.3\nhelo_name=localhost", config) != "");
  for (const size_t outcome : {4, 5}) settings.weights[0][outcome] = 0;
  config.checks.emplace("ehlo", settings);
  CHECK(observe("ehlo", "client_address=203.0.113.9\nhelo_name=none.example.com", config) == "");
}
