// Which host names are made of an address, and which addresses are public.
#include "shared/generic_name.h"

#include <doctest/doctest.h>

#include "shared/public_address.h"

using namespace policyd;

TEST_CASE("generic_name: names that hold the whole address") {
  struct Case {
    std::string_view address, name;
    bool want;
  };
  const Case cases[] = {
      {"192.0.2.7", "dsl-192-0-2-7.example.net", true},
      {"192.0.2.7", "7.2.0.192.dyn.example.net", true},
      {"192.0.2.7", "host7-2-0-192.example.net", true},
      {"192.0.2.7", "192x0x2x7.example.net", true},
      {"192.0.2.7", "ip192000002007.example.net", true},
      {"192.0.2.7", "007002000192.example.net", true},
      {"192.0.2.7", "pC0000207.dip0.example.net", true},
      {"192.0.2.7", "h3221225991.example.net", true},
      {"192.0.2.7", "mx7.example.net", false},
      {"192.0.2.7", "mail-2-7.example.net", false},
      {"192.0.2.7", "dsl-192-0-2-8.example.net", false},
      {"192.0.2.7", "dsl-192-0-2-70.example.net", false},
      {"192.0.2.7", "mx-0-192-2-7.example.net", false},
      {"192.0.2.7", "99999999999999999999999.example.net", false},
      {"192.0.2.7", "", false},
      {"2001:db8::25", "2001-db8--25.example.net", true},
      {"2001:db8::25", "2001-0db8-0-0-0-0-0-25.example.net", true},
      {"2001:db8::25", "20010db8000000000000000000000025.example.net", true},
      {"2001:db8::25", "5.2.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.example.net", true},
      {"2001:db8::25", "mx25.example.net", false},
      {"2001:db8::25", "db8.example.net", false},
  };
  for (const Case& row : cases) {
    CAPTURE(row.name);
    CHECK(is_generic_name(row.name, *IpAddress::parse(row.address)) == row.want);
  }
}

TEST_CASE("public_address: what a mail server on the internet can have") {
  for (const std::string_view text :
       {"192.0.2.1", "198.51.100.1", "8.8.8.8", "172.32.0.1", "100.128.0.1", "2001:db8::1", "2a00::1"}) {
    CHECK_MESSAGE(is_public(*IpAddress::parse(text)), text);
  }
  for (const std::string_view text :
       {"0.0.0.0", "127.0.0.1", "10.1.2.3", "172.16.0.1", "172.31.255.255", "192.168.0.1", "169.254.1.1", "100.64.0.1",
        "224.0.0.1", "255.255.255.255", "::", "::1", "fe80::1", "fd00::1", "ff02::1", "::ffff:127.0.0.1"}) {
    CHECK_MESSAGE(!is_public(*IpAddress::parse(text)), text);
  }
}
