// reverse_dns: what Postfix reports of the client's name, and what the DNS says where it reports nothing.
#include <doctest/doctest.h>

#include "tests/support/make_request.h"

using namespace policyd;

namespace {

// "192.0.2.1 / reverse name / confirmed name"
std::string request_of(std::string_view address, std::string_view reverse_name, std::string_view confirmed_name) {
  std::string attributes = "protocol_state=RCPT\nclient_address=";
  attributes.append(address).append("\nreverse_client_name=").append(reverse_name);
  return attributes.append("\nclient_name=").append(confirmed_name);
}

constexpr std::string_view kZone = R"(
  1.2.0.192.in-addr.arpa PTR mx.example.com
  mx.example.com A 192.0.2.1
  mx.example.com AAAA 2001:db8::1
  2.2.0.192.in-addr.arpa PTR wrong.example.com
  wrong.example.com A 198.51.100.1
  3.2.0.192.in-addr.arpa PTR first.example.com
  3.2.0.192.in-addr.arpa PTR Second.example.com
  first.example.com A 198.51.100.1
  second.example.com A 198.51.100.1
  second.example.com A 192.0.2.3
  4.2.0.192.in-addr.arpa SERVFAIL
  5.2.0.192.in-addr.arpa PTR slow.example.com
  slow.example.com TIMEOUT
  6.2.0.192.in-addr.arpa PTR dsl-192-0-2-6.example.net
  dsl-192-0-2-6.example.net A 192.0.2.6
  7.2.0.192.in-addr.arpa PTR bad..name
  8.2.0.192.in-addr.arpa PTR gone.example.com
  1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa PTR mx.example.com
)";

}  // namespace

TEST_CASE("reverse_dns: a name that Postfix has confirmed is not looked up") {
  CHECK(observe("reverse_dns", request_of("192.0.2.1", "mx.example.com", "mx.example.com")) == "");
  CHECK(observe("reverse_dns", request_of("192.0.2.1", "192-0-2-1.example.com", "192-0-2-1.example.com")) ==
        "generic (192.0.2.1: 192-0-2-1.example.com)");
}

TEST_CASE("reverse_dns: without an address nothing can be known") {
  for (const std::string_view address : {"unknown", ""}) {
    CHECK(observe("reverse_dns", request_of(address, "unknown", "unknown")) ==
          "error: the client's address is not known");
  }
  CHECK(observe("reverse_dns", "protocol_state=RCPT") == "error: the client's address is not known");
}

TEST_CASE("reverse_dns: what Postfix does not know is looked up") {
  struct Case {
    std::string_view address, reverse_name, want;
  };
  const std::vector<Case> cases = {
      {"192.0.2.9", "unknown", "missing (no name: 192.0.2.9)"},
      {"192.0.2.9", "", "missing (no name: 192.0.2.9)"},
      {"2001:db8::9", "unknown", "missing (no name: 2001:db8::9)"},
      // Postfix' DNS did not answer, ours does.
      {"192.0.2.1", "unknown", ""},
      {"192.0.2.1", "mx.example.com", ""},
      {"2001:db8::1", "unknown", ""},
      {"192.0.2.3", "unknown", ""},
      {"192.0.2.3", "first.example.com", ""},
      {"192.0.2.6", "unknown", "generic (192.0.2.6: dsl-192-0-2-6.example.net)"},
      {"192.0.2.2", "unknown", "unconfirmed (192.0.2.2: wrong.example.com)"},
      {"192.0.2.2", "wrong.example.com", "unconfirmed (192.0.2.2: wrong.example.com)"},
      {"192.0.2.8", "unknown", "unconfirmed (192.0.2.8: gone.example.com)"},
      {"192.0.2.7", "unknown", "unconfirmed (192.0.2.7: bad..name)"},
      {"192.0.2.10", "192.0.2.10.example.com",
       "unconfirmed (192.0.2.10: 192.0.2.10.example.com), generic (192.0.2.10: 192.0.2.10.example.com)"},
      // What ours does not tell is neutral.
      {"192.0.2.4", "unknown", "error: the DNS servers cannot tell (SERVFAIL, REFUSED): 4.2.0.192.in-addr.arpa"},
      {"192.0.2.4", "wrong.example.com",
       "error: the DNS servers cannot tell (SERVFAIL, REFUSED): 4.2.0.192.in-addr.arpa"},
      {"192.0.2.4", "mx.example.com", "error: the DNS servers cannot tell (SERVFAIL, REFUSED): 4.2.0.192.in-addr.arpa"},
      {"192.0.2.5", "unknown", "error: no DNS answer in time: 5.2.0.192.in-addr.arpa"},
      {"192.0.2.2", "slow.example.com", "error: no DNS answer in time: 2.2.0.192.in-addr.arpa"},
  };
  for (const Case& row : cases) {
    CAPTURE(row.address);
    CAPTURE(row.reverse_name);
    for (const bool later : {false, true}) {
      test::FakeResolver resolver(kZone);
      resolver.set_later(later);
      CHECK(observe("reverse_dns", request_of(row.address, row.reverse_name, "unknown"), Config{}, resolver) ==
            row.want);
    }
  }
}

TEST_CASE("reverse_dns: all that is known is asked at once, and nothing twice") {
  test::FakeResolver resolver(kZone);
  const std::string request = request_of("192.0.2.3", "First.example.com", "unknown");
  CHECK(observe("reverse_dns", request, Config{}, resolver) == "");
  CHECK(resolver.asked() ==
        std::vector<std::string>{"PTR 3.2.0.192.in-addr.arpa", "A first.example.com", "A second.example.com"});
}
