// Accounts as the admin API takes them: any that mail can be charged to is shown, lifted and reset; locked is what is.
#include "policyd/admin/account_name.h"

#include <doctest/doctest.h>

#include <string>

#include "shared/charged_name.h"

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
  CHECK(text_of(settings_name(std::string(1025, 'a'))).ends_with("is too long: at most 1024 octets are allowed"));
}
