// Accounts as the admin API takes them: any that mail can be charged to is shown, lifted and reset; locked is what is.
#include "policyd/admin/account_name.h"

#include <doctest/doctest.h>

#include <string>

#include "shared/charged_name.h"
#include "shared/text.h"

using namespace policyd;

namespace {

std::string text_of(const Result<std::string>& result) { return result ? *result : "! " + result.error().message; }

}  // namespace

TEST_CASE("account name: whatever a login may hold is an account; addresses are as they are charged") {
  const std::string long_name(5000, 'A');
  const std::pair<std::string, std::string> cases[] = {
      {"Joe@Example.com", "joe@example.com"},
      {"a\tb", "a\tb"},
      {"\x7f", "\x7f"},
      {" lead", " lead"},
      {"trail ", "trail "},
      {"joe@", "joe@"},
      {"@example.com", "@example.com"},
      {"10.0.0.1/x", "10.0.0.1/x"},
      {long_name, charged_name(std::string(5000, 'a'))},
      {"192.0.2.7", "192.0.2.7"},
      {"192.0.2.7/32", "192.0.2.7"},
      {"192.0.2.0/24", "192.0.2.0/24"},
      {"2001:DB8::1", "2001:db8::/64"},
      {"2001:db8::1/128", "2001:db8::/64"},
      {"2001:DB8::/64", "2001:db8::/64"},
      {"", "! \"\" is not an account: write \"default\", a domain or a login"},
      {"a\nb", "! \"a\\x0ab\" holds a control character"},
      {std::string("a\0b", 3), "! \"a\\x00b\" holds a control character"},
  };
  for (const auto& [text, name] : cases) {
    CAPTURE(text);
    CHECK(text_of(account_name(text)) == name);
  }
}

TEST_CASE("account name: settings belong to names as the configuration takes them") {
  CHECK(text_of(settings_name("Example.com")) == "example.com");
  CHECK(text_of(settings_name("2001:db8::1")) == "2001:db8::/64");
  CHECK(text_of(settings_name("a\tb")) == "! \"a\\x09b\" holds a control character");
  CHECK(text_of(settings_name(" lead")) == "! \" lead\" begins or ends with a space");
  CHECK(text_of(settings_name(std::string(1024, 'A'))) == std::string(1024, 'a'));
  for (const std::string& name : {std::string(1025, 'A'), std::string(1025, 'a') + "@Example.com"}) {
    CHECK(text_of(settings_name(name)) == charged_name(to_lower(name)));
    CHECK(text_of(settings_name(name)) == text_of(account_name(name)));
  }
}

TEST_CASE("account name: what no mail is charged to cannot be locked") {
  const std::string login = " cannot be locked: under traffic.account = \"login\" mail is charged to a login, or "
                            "without one the client's address (of IPv6 its /64)";
  const std::string domain = " cannot be locked: under traffic.account = \"domain\" mail is charged to the login's "
                             "domain, a login without one, or without a login the client's address (of IPv6 its /64)";
  const std::string network = " cannot be locked: under traffic.account = \"network\" mail is charged to the client's "
                              "network (of IPv4 a /24, of IPv6 a /64)";
  struct Case {
    std::string_view text;
    std::string login, domain, network;  // under each mode
  };
  const Case cases[] = {
      {"default", "! \"default\"" + login, "! \"default\"" + domain, "! \"default\"" + network},
      {"Joe@example.com", "joe@example.com", "joe@example.com", "joe@example.com"},
      {"joe", "joe", "joe", "joe"},
      {"example.com", "example.com", "example.com", "example.com"},
      {"a\tb ", "a\tb ", "a\tb ", "a\tb "},
      {"192.0.2.7", "192.0.2.7", "192.0.2.7", "192.0.2.7"},
      {"192.0.2.0/24", "! \"192.0.2.0/24\"" + login, "! \"192.0.2.0/24\"" + domain, "192.0.2.0/24"},
      {"192.0.0.0/16", "! \"192.0.0.0/16\"" + login, "! \"192.0.0.0/16\"" + domain, "! \"192.0.0.0/16\"" + network},
      {"2001:db8::1", "2001:db8::/64", "2001:db8::/64", "2001:db8::/64"},
      {"2001:db8::/48", "! \"2001:db8::/48\"" + login, "! \"2001:db8::/48\"" + domain, "! \"2001:db8::/48\"" + network},
  };
  for (const Case& one : cases) {
    CAPTURE(one.text);
    CHECK(text_of(lockable_account(one.text, "login")) == one.login);
    CHECK(text_of(lockable_account(one.text, "domain")) == one.domain);
    CHECK(text_of(lockable_account(one.text, "network")) == one.network);
  }
  for (const std::string_view mode : {"login", "domain"}) {
    CHECK(text_of(lockable_account("@example.com", mode)) ==
          "! \"@example.com\" is not an account; for all of a domain write \"example.com\"");
    CHECK(text_of(lockable_account("joe@", mode)) == "! \"joe@\" has no domain after the '@'");
    CHECK(text_of(lockable_account("192.0.2.7/24", mode)) ==
          "! 192.0.2.7/24: host bits are set; did you mean 192.0.2.0/24?");
  }
}
