// By what an attempt is recognised again: what a retry changes is left out, what tells clients apart stays.
#include "policyd/greylist/keys.h"

#include <doctest/doctest.h>

#include <string>

namespace policyd {
namespace {

std::string client(const char* address, const char* name, const char* identity = "") {
  return greylist_client(IpAddress::parse(address), name, identity).value_or("(none)");
}

TEST_CASE(
    "greylist keys: the operator's domain is the last two labels, or three below a country's usual second level") {
  const std::pair<const char*, const char*> table[] = {
      {"mail.example.com", "example.com"},
      {"a.b.c.example.com.", "example.com"},
      {"example.com", "example.com"},
      {"mx1.example.co.uk", "example.co.uk"},
      {"example.co.uk", "example.co.uk"},
      {"co.uk", "co.uk"},
      {"mx1.example.com.au", "example.com.au"},
      {"mail.example.de", "example.de"},
      {"mail.t.co", "t.co"},
      {"a.co.example", "co.example"},
      {"localhost", ""},
      {"", ""},
      {".", ""},
      {".com", ""},
      {".co.uk", ".co.uk"},
  };
  for (const auto& [name, domain] : table) {
    CAPTURE(name);
    CHECK(operator_domain(name) == domain);
  }
}

TEST_CASE("greylist keys: a name made of the address does not identify its operator") {
  struct Row {
    const char* address;
    const char* name;
    bool made;
  };
  const Row table[] = {
      {"192.0.2.17", "mail.example.com", false},
      {"192.0.2.17", "mx2.example.com", false},
      {"192.0.2.17", "192-0-2-17.dsl.example.com", true},
      {"192.0.2.17", "17.2.0.192.example.com", true},
      {"192.0.2.17", "host-17-2.example.com", true},
      {"192.0.2.17", "p002017.example.com", false},
      {"192.0.2.17", "ip192000002017.example.com", true},
      {"192.0.2.17", "pC0000211.dip0.example.com", true},
      {"192.0.2.2", "mx2.example.com", false},
      {"192.0.2.2", "2-2.example.com", true},
      {"192.0.2.17", "mail.host-17-2.com", false},  // the operator's own domain
      {"2001:db8::1", "mail.example.com", false},
      {"2001:db8::1", "2001-db8--1.example.com", true},
      {"2001:db8::a1b2:c3d4:e5f6:1728", "x-a1b2c3d4e5f61728.example.com", true},
      {"2001:db8::a1b2:c3d4:e5f6:1728", "8.2.7.1.6.f.5.e.4.d.3.c.2.b.1.a.example.com", true},
  };
  for (const Row& row : table) {
    CAPTURE(row.name);
    CHECK(is_made_of_address(row.name, *IpAddress::parse(row.address)) == row.made);
  }
}

TEST_CASE(
    "greylist keys: a client is known by its operator's domain, by what it was shown to send for, or by its network") {
  CHECK(client("192.0.2.17", "Mail-1.Example.COM") == "example.com");
  CHECK(client("192.0.2.18", "mail-2.example.com") == "example.com");
  CHECK(client("192.0.2.17", "unknown") == "192.0.2.0/24");
  CHECK(client("192.0.2.17", "") == "192.0.2.0/24");
  CHECK(client("192.0.2.17", "192-0-2-17.example.com") == "192.0.2.0/24");
  CHECK(client("192.0.2.17", "localhost") == "192.0.2.0/24");
  CHECK(client("2001:db8:1:2:3::4", "unknown") == "2001:db8:1:2::/64");
  CHECK(client("::ffff:192.0.2.17", "unknown") == "192.0.2.0/24");
  CHECK(client("192.0.2.17", "unknown", "News.Example.org.") == "news.example.org");
  CHECK(client("192.0.2.17", "192-0-2-17.example.com", "example.org") == "example.org");
  CHECK(client("192.0.2.17", "mail.example.com", "example.org") == "example.com");
  CHECK(client("unknown", "unknown") == "(none)");
  CHECK(client("unknown", "mail.example.com") == "example.com");
}

TEST_CASE("greylist keys: a sender is known without what differs from try to try") {
  const std::pair<const char*, const char*> table[] = {
      {"", ""},
      {"Ann@Example.COM", "ann@example.com"},
      {"ann@example.com.", "ann@example.com"},
      {"ann", "ann"},
      // Tags.
      {"ann+news@example.com", "ann@example.com"},
      {"list-bounces+bob=example.org@example.com", "list-bounces@example.com"},
      {"+ann@example.com", "+ann@example.com"},
      // BATV.
      {"prvs=1234567890=ann@example.com", "ann@example.com"},
      {"PRVS=12345ABCDE=ann@example.com", "ann@example.com"},
      {"prvs=1234567890=ann+x@example.com", "ann@example.com"},
      {"prvs=12=ann@example.com", "prvs=#=ann@example.com"},
      {"prvs=ann@example.com", "prvs=ann@example.com"},
      {"btv1==07a5b4c3d2e1==ann@example.com", "ann@example.com"},
      {"btv1==ann@example.com", "btv1==ann@example.com"},
      // SRS.
      {"SRS0=Ab1D=X4=example.org=ann@example.com", "srs0=example.org=ann@example.com"},
      {"SRS0+zzzz=Y5=example.org=ann@example.com", "srs0=example.org=ann@example.com"},
      {"SRS0=broken@example.com", "srs0=broken@example.com"},
      {"SRS1=Ab1D=fwd.example==Ef2G=X4=example.org=ann@example.com", "srs1=fwd.example==example.org=ann@example.com"},
      {"SRS1=broken@example.com", "srs1=broken@example.com"},
      // VERP.
      {"bounce-4711-bob=example.org@example.com", "bounce-#-bob=example.org@example.com"},
      {"bounce-4712-bob=example.org@example.com", "bounce-#-bob=example.org@example.com"},
      {"b.0100018c3f2a1b7d-9f0e1d2c-0000@example.com", "b.#-#-#@example.com"},
      {"m_x7kq93hfz02bd81q@example.com", "m_#@example.com"},
      {"ann1@example.com", "ann1@example.com"},
      {"deadbeef@example.com", "deadbeef@example.com"},
      {"19.90@example.com", "#.#@example.com"},
      {"1990@4711.example.com", "#@4711.example.com"},
      // Octets that would not do in a key.
      {"a b>c%\t@example.com", "a%20b%3Ec%25%09@example.com"},
      {"j\xc3\xb6rg@example.com", "j\xc3\xb6rg@example.com"},
      {"a@b@example.com", "a@b@example.com"},
  };
  for (const auto& [sender, key] : table) {
    CAPTURE(sender);
    CHECK(greylist_sender(sender) == key);
  }
}

TEST_CASE("greylist keys: an overlong address is cut, and still tells others apart") {
  const std::string local(5000, 'a');
  const std::string one = greylist_sender(local + "@one.example"), two = greylist_sender(local + "@two.example");
  CHECK(one.size() == kLongestGreylistKey);
  CHECK(one != two);
  CHECK(one == greylist_sender(local + "@ONE.example"));
  CHECK(greylist_recipient(local + "@one.example").size() == kLongestGreylistKey);
  CHECK(client("192.0.2.1", ("mx." + std::string(5000, 'b') + ".example").c_str()).size() == kLongestGreylistKey);
}

TEST_CASE("greylist keys: a recipient is in lower case, its tag stays") {
  CHECK(greylist_recipient("Bob+Tag@Example.COM") == "bob+tag@example.com");
  CHECK(greylist_recipient("postmaster") == "postmaster");
}

}  // namespace
}  // namespace policyd
