// IP addresses and networks: text forms, masks, containment.
#include "shared/address.h"

#include <doctest/doctest.h>

using namespace policyd;
using namespace std::string_literals;

namespace {

IpAddress address(std::string_view text) {
  const auto parsed = IpAddress::parse(text);
  REQUIRE_MESSAGE(parsed.has_value(), std::string(text));
  return *parsed;
}

Network network(std::string_view text) {
  const auto parsed = Network::parse(text);
  REQUIRE_MESSAGE(parsed.ok(), std::string(text));
  return *parsed;
}

}  // namespace

TEST_CASE("address: what is read is written in the form of RFC 5952") {
  struct Case {
    std::string text, want;
    bool v6;
  };
  const Case cases[] = {
      {"192.0.2.1", "192.0.2.1", false},
      {"0.0.0.0", "0.0.0.0", false},
      {"255.255.255.255", "255.255.255.255", false},
      {"::ffff:192.0.2.1", "192.0.2.1", false},
      {"::FFFF:c000:201", "192.0.2.1", false},
      {"0:0:0:0:0:ffff:192.0.2.1", "192.0.2.1", false},
      {"2001:DB8:0:0:0:0:0:1", "2001:db8::1", true},
      {"2001:0db8:0000:0000:0001:0000:0000:0001", "2001:db8::1:0:0:1", true},
      {"2001:db8:0:1:1:1:1:1", "2001:db8:0:1:1:1:1:1", true},
      {"::", "::", true},
      {"::1", "::1", true},
      {"fe80::", "fe80::", true},
  };
  for (const Case& c : cases) {
    CHECK(address(c.text).to_string() == c.want);
    CHECK(address(c.text).v6 == c.v6);
    CHECK(address(c.want) == address(c.text));
  }
}

TEST_CASE("address: what is none is refused") {
  const std::string cases[] = {
      "",
      "1",
      "unknown",
      "192.0.2",
      "192.0.2.256",
      "192.0.2.1.1",
      "192.0.2.1 ",
      " 192.0.2.1",
      "192.0.2.01",
      "0x7f.0.0.1",
      "192.0.2.1/24",
      "2001:db8",
      ":",
      ":::",
      "2001:db8::1%eth0",
      "[2001:db8::1]",
      "1:2:3:4:5:6:7:8:9",
      "12345::",
      "192.0.2.1\0"s,
      "::1\0x"s,
      std::string(100, ':'),
  };
  for (const std::string& text : cases) CHECK_MESSAGE(!IpAddress::parse(text), text);
}

TEST_CASE("address: a view that does not end in a NUL is read to its end and no further") {
  const std::string_view text = "192.0.2.123";
  CHECK(address(text.substr(0, 9)).to_string() == "192.0.2.1");
}

TEST_CASE("address: masked keeps the first bits") {
  struct Case {
    std::string text;
    int prefix;
    std::string want;
  };
  const Case cases[] = {
      {"192.0.2.255", 24, "192.0.2.0"},
      {"192.0.2.255", 25, "192.0.2.128"},
      {"192.0.2.255", 32, "192.0.2.255"},
      {"192.0.2.255", 0, "0.0.0.0"},
      {"192.0.2.255", 99, "192.0.2.255"},
      {"192.0.2.255", -1, "0.0.0.0"},
      {"2001:db8:1:2:3:4:5:6", 64, "2001:db8:1:2::"},
      {"2001:db8:ffff::1", 33, "2001:db8:8000::"},
      {"2001:db8::1", 128, "2001:db8::1"},
      {"2001:db8::1", 127, "2001:db8::"},
  };
  for (const Case& c : cases) CHECK(address(c.text).masked(c.prefix).to_string() == c.want);
}

TEST_CASE("network: the text forms") {
  struct Case {
    std::string text, want;
  };
  const Case cases[] = {
      {"192.0.2.0/24", "192.0.2.0/24"},
      {"192.0.2.1", "192.0.2.1"},
      {"192.0.2.1/32", "192.0.2.1"},
      {"0.0.0.0/0", "0.0.0.0/0"},
      {"2001:DB8:0:0::/32", "2001:db8::/32"},
      {"::1/128", "::1"},
      {"::/0", "::/0"},
      {"[::1]/128", "::1"},
      {"[2001:db8::]/32", "2001:db8::/32"},
      {"[::ffff:127.0.0.0]/104", "127.0.0.0/8"},
      {"::ffff:192.0.2.1/128", "192.0.2.1"},
  };
  for (const Case& c : cases) {
    CHECK(network(c.text).to_string() == c.want);
    CHECK(network(c.want) == network(c.text));
  }
}

TEST_CASE("network: errors say what was meant") {
  constexpr const char* kNoNetwork =
      " is not an IP address or network; expected e.g. 192.0.2.0/24 or 2001:db8::/32";
  struct Case {
    std::string text, want;
  };
  const Case cases[] = {
      {"192.0.2.1/24", "192.0.2.1/24: host bits are set; did you mean 192.0.2.0/24?"},
      {"2001:db8::1/64", "2001:db8::1/64: host bits are set; did you mean 2001:db8::/64?"},
      {"[::ffff:127.0.0.1]/104",
       "[::ffff:127.0.0.1]/104: host bits are set; did you mean 127.0.0.0/8?"},
      {"192.0.2.0/33", "\"192.0.2.0/33\": the prefix length is a number from 0 to 32"},
      {"192.0.2.0/", "\"192.0.2.0/\": the prefix length is a number from 0 to 32"},
      {"192.0.2.0/-0", "\"192.0.2.0/-0\": the prefix length is a number from 0 to 32"},
      {"192.0.2.0/24 ", "\"192.0.2.0/24 \": the prefix length is a number from 0 to 32"},
      {"192.0.2.0/255.255.255.0",
       "\"192.0.2.0/255.255.255.0\": the prefix length is a number from 0 to 32"},
      {"::/129", "\"::/129\": the prefix length is a number from 0 to 128"},
      {"::ffff:192.0.2.0/24",
       "\"::ffff:192.0.2.0/24\": the prefix length is a number from 96 to 128"},
      {"", std::string("\"\"") + kNoNetwork},
      {"/24", std::string("\"/24\"") + kNoNetwork},
      {"example.com", std::string("\"example.com\"") + kNoNetwork},
      {"192.0.2", std::string("\"192.0.2\"") + kNoNetwork},
      {"x\n", std::string("\"x\\x0a\"") + kNoNetwork},
  };
  for (const Case& c : cases) {
    const auto parsed = Network::parse(c.text);
    REQUIRE_MESSAGE(!parsed.ok(), c.text);
    CHECK(parsed.error().message == c.want);
  }
}

TEST_CASE("network: contains looks at the first bits, of the same family") {
  struct Case {
    std::string network, address;
    bool want;
  };
  const Case cases[] = {
      {"192.0.2.0/24", "192.0.2.255", true},
      {"192.0.2.0/24", "192.0.3.0", false},
      {"192.0.2.128/25", "192.0.2.128", true},
      {"192.0.2.128/25", "192.0.2.127", false},
      {"192.0.2.1", "192.0.2.1", true},
      {"192.0.2.1", "192.0.2.2", false},
      {"0.0.0.0/0", "203.0.113.9", true},
      {"0.0.0.0/0", "2001:db8::1", false},
      {"::/0", "2001:db8::1", true},
      {"::/0", "192.0.2.1", false},
      {"192.0.2.0/24", "::ffff:192.0.2.7", true},
      {"2001:db8::/33", "2001:db8:7fff::1", true},
      {"2001:db8::/33", "2001:db8:8000::1", false},
      {"::1", "::1", true},
      {"::1", "::2", false},
  };
  for (const Case& c : cases) {
    CHECK_MESSAGE(network(c.network).contains(address(c.address)) == c.want,
                  (c.network + " " + c.address));
  }
}

TEST_CASE("address: the hash tells families and neighbours apart") {
  const IpAddressHash hash;
  CHECK(hash(address("192.0.2.1")) == hash(address("::ffff:192.0.2.1")));
  CHECK(hash(address("192.0.2.1")) != hash(address("192.0.2.2")));
  CHECK(hash(address("0.0.0.0")) != hash(address("::")));
  CHECK(hash(address("2001:db8::1")) != hash(address("2001:db8::2")));
}
