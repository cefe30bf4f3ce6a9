// Endpoint: where to listen, as text.
#include <doctest/doctest.h>

#include "shared/config.h"

using namespace policyd;

TEST_CASE("endpoint: every form is read and written back") {
  struct Case {
    std::string_view text;
    Endpoint::Kind kind;
    std::string_view path;
    std::string_view address;
    uint16_t port;
  };
  using Kind = Endpoint::Kind;
  const Case cases[] = {
      {"unix:/run/policyd.sock", Kind::unix_socket, "/run/policyd.sock", "", 0},
      {"unix:/run/a:b c", Kind::unix_socket, "/run/a:b c", "", 0},
      {"inet:127.0.0.1:10031", Kind::inet, "", "127.0.0.1", 10031},
      {"inet:[::1]:0", Kind::inet, "", "::1", 0},
      {"inet:[2001:db8::1]:65535", Kind::inet, "", "2001:db8::1", 65535},
      {"systemd:", Kind::systemd, "", "", 0},
      {"systemd:policyd-in", Kind::systemd, "policyd-in", "", 0},
  };
  for (const Case& each : cases) {
    CAPTURE(each.text);
    const auto parsed = Endpoint::parse(each.text);
    REQUIRE(parsed);
    CHECK(parsed->kind == each.kind);
    CHECK(parsed->path == each.path);
    CHECK(parsed->port == each.port);
    if (each.kind == Kind::inet) CHECK(parsed->address.to_string() == each.address);
    CHECK(parsed->to_string() == each.text);
  }
}

TEST_CASE("endpoint: what is none says what to write") {
  const std::pair<std::string, std::string_view> cases[] = {
      {"",
       R"("" is not an endpoint: it begins with "unix:", "inet:" or "systemd:", e.g. "inet:127.0.0.1:10031")"},
      {"tcp:127.0.0.1:1",
       "\"tcp:127.0.0.1:1\" is not an endpoint: it begins with \"unix:\", \"inet:\" or \"systemd:\", e.g. "
       "\"inet:127.0.0.1:10031\""},
      {"unix:",
       R"("unix:" needs an absolute path, e.g. "unix:/var/spool/postfix/private/policyd")"},
      {"unix:/run/", R"("unix:/run/" names a directory; a socket is a file in it)"},
      {"inet:10031", R"("inet:10031" needs an address and a port, e.g. "inet:127.0.0.1:10031")"},
      {"inet:localhost:1",
       R"("inet:localhost:1" needs an IP address, which "localhost" is not, and host names are not looked up)"},
      {"inet::1",
       R"("inet::1" needs an IP address, which "" is not, and host names are not looked up)"},
      {"inet:::1:1", R"("inet:::1:1" needs its IPv6 address in brackets, e.g. "inet:[::1]:10031")"},
      {"inet:127.0.0.1:", R"("inet:127.0.0.1:" needs a port from 0 to 65535, which "" is not)"},
      {"inet:127.0.0.1:65536",
       R"("inet:127.0.0.1:65536" needs a port from 0 to 65535, which "65536" is not)"},
      {"inet:127.0.0.1:1x",
       R"("inet:127.0.0.1:1x" needs a port from 0 to 65535, which "1x" is not)"},
      {"unix:/a\nb", R"("unix:/a\x0ab" holds a control character)"},
      {"systemd:a:b",
       R"("systemd:a:b" needs a FileDescriptorName= of at most 255 octets without ':', or none for any socket)"},
  };
  for (const auto& [text, reason] : cases) {
    CAPTURE(text);
    const auto parsed = Endpoint::parse(text);
    REQUIRE_FALSE(parsed);
    CHECK(parsed.error().message == reason);
  }
}
