// Endpoint: where to listen, as text; see config.h.
//
// An Error quotes the text and says what to write instead. Host names are not looked up: a server
// that listens must not depend on DNS.
#include <charconv>
#include <fmt/format.h>

#include "shared/config.h"

namespace policyd {
namespace {

constexpr size_t kLongestSocketPath = 107;  // sockaddr_un.sun_path, with room for the final NUL

Error bad(std::string_view text, std::string_view reason) {
  return Error{fmt::format("{} {}", quoted(text), reason)};
}

Result<Endpoint> parse_unix(std::string_view text, std::string_view path) {
  if (!path.starts_with('/')) {
    return bad(text, "needs an absolute path, e.g. \"unix:/var/spool/postfix/private/policyd\"");
  }
  if (path.ends_with('/')) return bad(text, "names a directory; a socket is a file in it");
  if (path.size() > kLongestSocketPath) {
    return bad(text, fmt::format("has a path of {} octets; the system allows {}", path.size(),
                                 kLongestSocketPath));
  }
  Endpoint endpoint;
  endpoint.kind = Endpoint::Kind::unix_socket;
  endpoint.path = path;
  return endpoint;
}

Result<Endpoint> parse_inet(std::string_view text, std::string_view rest) {
  const size_t colon = rest.rfind(':');
  if (colon == std::string_view::npos) {
    return bad(text, "needs an address and a port, e.g. \"inet:127.0.0.1:10031\"");
  }
  std::string_view host = rest.substr(0, colon);
  const std::string_view digits = rest.substr(colon + 1);

  const bool bracketed = host.size() >= 2 && host.front() == '[' && host.back() == ']';
  if (bracketed) host = host.substr(1, host.size() - 2);
  const auto address = IpAddress::parse(host);
  if (!bracketed && host.find(':') != std::string_view::npos) {
    return bad(text, "needs its IPv6 address in brackets, e.g. \"inet:[::1]:10031\"");
  }
  if (!address) {
    return bad(text,
               fmt::format("needs an IP address, which {} is not, and host names are not looked up",
                           quoted(host)));
  }

  Endpoint endpoint;
  endpoint.kind = Endpoint::Kind::inet;
  endpoint.address = *address;
  const auto [end, error] = std::from_chars(digits.begin(), digits.end(), endpoint.port);
  if (error != std::errc{} || end != digits.end()) {
    return bad(text, fmt::format("needs a port from 0 to 65535, which {} is not", quoted(digits)));
  }
  return endpoint;
}

Result<Endpoint> parse_systemd(std::string_view text, std::string_view name) {
  if (name.find(':') != std::string_view::npos || name.size() > 255) {
    return bad(
        text,
        "needs a FileDescriptorName= of at most 255 octets without ':', or none for any socket");
  }
  Endpoint endpoint;
  endpoint.kind = Endpoint::Kind::systemd;
  endpoint.path = name;
  return endpoint;
}

}  // namespace

Result<Endpoint> Endpoint::parse(std::string_view text) {
  for (unsigned char c : text) {
    if (c < 0x20 || c == 0x7f) return bad(text, "holds a control character");
  }
  const size_t colon = text.find(':');
  const std::string_view scheme = text.substr(0, colon);
  const std::string_view rest = colon == std::string_view::npos ? "" : text.substr(colon + 1);
  if (colon != std::string_view::npos) {
    if (scheme == "unix") return parse_unix(text, rest);
    if (scheme == "inet") return parse_inet(text, rest);
    if (scheme == "systemd") return parse_systemd(text, rest);
  }
  return bad(text,
             "is not an endpoint: it begins with \"unix:\", \"inet:\" or \"systemd:\", e.g. "
             "\"inet:127.0.0.1:10031\"");
}

std::string Endpoint::to_string() const {
  switch (kind) {
    case Kind::unix_socket:
      return "unix:" + path;
    case Kind::systemd:
      return "systemd:" + path;
    case Kind::inet:
      break;
  }
  return fmt::format(fmt::runtime(address.v6 ? "inet:[{}]:{}" : "inet:{}:{}"), address.to_string(),
                     port);
}

}  // namespace policyd
