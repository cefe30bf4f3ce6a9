// Whom a request is about: its direction, the account that is charged, and names as blocks compare them.
#include "policyd/subject.h"

#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "shared/charged_name.h"
#include "tests/support/make_request.h"
#include "tests/support/request_lines.h"
#include "tests/support/test_config.h"

namespace policyd {
namespace {

using test::Attributes;
using test::request_lines;

const std::string kNetworks = "[traffic]\nnetworks = [\"127.0.0.0/8\", \"::1/128\", \"198.51.100.0/24\"]\n";

struct Case {
  std::string label;
  Attributes attributes;
  std::string direction;
  std::string account;
};

void run(const std::vector<Case>& cases) {
  const auto config = test::config_from(kNetworks);
  for (const Case& c : cases) {
    CAPTURE(c.label);
    const auto request = make_request(request_lines(c.attributes));
    const Subject subject(*request, *config);
    CHECK(direction_name(subject.direction()) == c.direction);
    CHECK(subject.account() == c.account);
    CHECK(subject.names().direction == subject.direction());
    CHECK(subject.names().account == subject.account());
  }
}

TEST_CASE("subject: outgoing is mail of who has logged in, or of our networks; the context goes before both") {
  run({
      {"a stranger", {}, "incoming", ""},
      {"logged in", {{"sasl_username", "joe"}}, "outgoing", "joe"},
      {"of our networks", {{"client_address", "198.51.100.7"}}, "outgoing", "198.51.100.7"},
      {"of our networks, IPv6", {{"client_address", "::1"}}, "outgoing", "::/64"},
      {"beside our networks", {{"client_address", "198.51.101.7"}}, "incoming", ""},
      {"IPv4 in IPv6", {{"client_address", "::ffff:198.51.100.7"}}, "outgoing", "198.51.100.7"},
      {"said to be outgoing", {{"policy_context", "outgoing"}}, "outgoing", "192.0.2.1"},
      {"said to be incoming, logged in", {{"policy_context", "incoming"}, {"sasl_username", "joe"}}, "incoming", ""},
      {"said to be incoming, of ours", {{"policy_context", "incoming"}, {"client_address", "::1"}}, "incoming", ""},
      {"another context", {{"policy_context", "submission"}}, "incoming", ""},
      {"another context, logged in", {{"policy_context", "OUTGOING"}, {"sasl_username", "joe"}}, "outgoing", "joe"},
      {"an address that is none", {{"client_address", "unknown"}}, "incoming", ""},
  });
}

TEST_CASE("subject: the account is the login in lower case, else the client's address, of IPv6 its /64") {
  const auto outgoing = [](std::string label, Attributes attributes, std::string account) {
    attributes.insert({"policy_context", "outgoing"});
    return Case{std::move(label), std::move(attributes), "outgoing", std::move(account)};
  };
  run({
      outgoing("capitals", {{"sasl_username", "Joe@Example.COM"}}, "joe@example.com"),
      outgoing("a login goes before the address", {{"sasl_username", "j"}, {"client_address", "2001:db8::1"}}, "j"),
      outgoing("IPv4", {{"client_address", "192.0.2.200"}}, "192.0.2.200"),
      outgoing("IPv6", {{"client_address", "2001:db8:1:2:3:4:5:6"}}, "2001:db8:1:2::/64"),
      outgoing("its neighbour", {{"client_address", "2001:db8:1:2:ffff::1"}}, "2001:db8:1:2::/64"),
      outgoing("the next net", {{"client_address", "2001:db8:1:3::1"}}, "2001:db8:1:3::/64"),
      outgoing("IPv6 in capitals", {{"client_address", "2001:DB8:0:0:0:0:0:1"}}, "2001:db8::/64"),
      outgoing("no address", {{"client_address", "unknown"}}, "unknown"),
      outgoing("nothing", {{"client_address", ""}}, "unknown"),
  });
}

TEST_CASE("subject: a name that is too long for a key is charged under a shorter one") {
  const std::string local(4000, 'J');
  const std::pair<std::string_view, std::string> cases[] = {
      {"login", charged_name(std::string(4000, 'j') + "@example.com")},
      {"domain", "example.com"},
      {"network", "192.0.2.0/24"},
  };
  for (const auto& [mode, account] : cases) {
    CAPTURE(mode);
    const auto config = test::config_from("[traffic]\naccount = \"" + std::string(mode) + "\"\n");
    const auto request = make_request(request_lines({{"sasl_username", local + "@Example.com"}}));
    const Subject subject(*request, *config);
    CHECK(subject.account() == account);
    CHECK(subject.names().account == charged_name(std::string(4000, 'j') + "@example.com"));
    CHECK(subject.names().login.size() == 4012);
  }
}

TEST_CASE("subject: names are compared in lower case, and an unconfirmed client has none") {
  const auto config = test::config_from("");
  const auto request = make_request(request_lines({{"sender", "ANN@Stranger.Example"},
                                                   {"recipient", "Bob@EXAMPLE.com"},
                                                   {"helo_name", "MAIL.Stranger.Example"},
                                                   {"client_name", "Mail.Stranger.Example"},
                                                   {"sasl_username", "Joe"},
                                                   {"client_address", "2001:db8::1"}}));
  const Subject subject(*request, *config);
  CHECK(subject.names().sender == "ann@stranger.example");
  CHECK(subject.names().recipient == "bob@example.com");
  CHECK(subject.recipient() == "bob@example.com");
  CHECK(subject.names().ehlo == "mail.stranger.example");
  CHECK(subject.names().client_name == "mail.stranger.example");
  CHECK(subject.names().login == "joe");
  CHECK(subject.names().client == IpAddress::parse("2001:db8::1"));

  const auto unknown = make_request(request_lines({{"client_name", "unknown"}, {"client_address", "unknown"}}));
  const Subject stranger(*unknown, *config);
  CHECK(stranger.names().client_name.empty());
  CHECK_FALSE(stranger.names().client.has_value());
  CHECK(stranger.names().login.empty());
}

TEST_CASE("subject: a request of nothing is about nobody") {
  const auto config = test::config_from("");
  const auto request = make_request("request=smtpd_access_policy");
  const Subject subject(*request, *config);
  CHECK(subject.direction() == Direction::incoming);
  CHECK(subject.account().empty());
  CHECK(subject.names().sender.empty());
  CHECK(subject.recipient().empty());
}

}  // namespace
}  // namespace policyd
