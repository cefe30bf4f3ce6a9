// The name that mail is charged under: bounded, told from others, of the same domain.
#include "shared/charged_name.h"

#include <doctest/doctest.h>

#include "shared/text.h"

using namespace policyd;

TEST_CASE("charged name: up to 1024 octets as it is") {
  for (const std::string& name : {std::string(), std::string("joe@example.com"), std::string(1024, 'a')}) {
    CHECK(charged_name(name) == name);
  }
}

TEST_CASE("charged name: a longer one is cut, told from others that begin alike, and stays in its domain") {
  const std::string name = std::string(1013, 'a') + "@example.com", other = std::string(1014, 'a') + "@example.com";
  REQUIRE(name.size() == 1025);
  const std::string charged = charged_name(name);
  CHECK(charged == std::string(512, 'a') + "~3cf9788feb429481ce0e2bdb0a20d3657be48c06@example.com");
  CHECK(charged_name(other) != charged);
  CHECK(domain_of(charged_name(other)) == "example.com");
  CHECK(charged_name(charged) == charged);
  CHECK(charged_name(std::string(60'000, 'b')).size() == 553);
  CHECK(charged_name("joe@" + std::string(60'000, 'b')).size() == 553);
}

TEST_CASE("charged name: no character is cut in two") {
  for (size_t before = 508; before <= 512; ++before) {
    std::string name(before, 'a');
    while (name.size() < 2000) name += "\U0001f600";
    CHECK(is_utf8(charged_name(name)));
  }
  CHECK(charged_name(std::string(2000, '\x80')).size() == 553);
}
