// reverse_dns: what Postfix reports of the client's name.
#include <doctest/doctest.h>

#include "tests/support/make_request.h"

using namespace policyd;

TEST_CASE("reverse_dns: missing, unconfirmed, confirmed, and what cannot be known") {
  struct Case {
    std::string_view address, reverse_name, confirmed_name, want;
  };
  const std::vector<Case> cases = {
      {"192.0.2.1", "mx.example.com", "mx.example.com", ""},
      {"192.0.2.1", "unknown", "unknown", "missing (no name: 192.0.2.1)"},
      {"192.0.2.1", "mx.example.com", "unknown", "unconfirmed (192.0.2.1: mx.example.com)"},
      {"2001:db8::25", "unknown", "unknown", "missing (no name: 2001:db8::25)"},
      {"unknown", "unknown", "unknown", "error: Postfix does not know the client's address"},
      {"", "unknown", "unknown", "error: Postfix did not send client_address"},
      {"192.0.2.1", "", "unknown", "error: Postfix did not send reverse_client_name"},
      {"192.0.2.1", "mx.example.com", "", "error: Postfix did not send client_name"},
  };
  for (const Case& row : cases) {
    CAPTURE(row.want);
    std::string attributes = "protocol_state=RCPT\nclient_address=";
    attributes.append(row.address).append("\nreverse_client_name=").append(row.reverse_name);
    attributes.append("\nclient_name=").append(row.confirmed_name);
    CHECK(observe("reverse_dns", attributes) == row.want);
  }
  CHECK(observe("reverse_dns", "protocol_state=RCPT") ==
        "error: Postfix did not send client_address");
}
