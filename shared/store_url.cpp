// StoreUrl: where the state is kept, as text; see config.h.
//
// The parts follow RFC 3986. A URL may hold a password, and a slip of the pen can make any part of
// it look like another: therefore no Error quotes from it, and to_string() masks the password.
#include <array>
#include <charconv>
#include <fmt/format.h>
#include <optional>

#include "shared/config.h"
#include "shared/percent_encoding.h"

namespace policyd {
namespace {

constexpr size_t kLongestSocketPath = 107;  // sockaddr_un.sun_path, with room for the final NUL
constexpr int kLargestDatabase = 65535;

Error bad(std::string reason) {
  return Error{std::move(reason)};
}

bool has_control(std::string_view text) {
  for (unsigned char c : text) {
    if (c < 0x20 || c == 0x7f) return true;
  }
  return false;
}

// Decodes `text` into `field`; the Error names the part only, for it may be a password.
Result<void> decode_into(std::string& field, std::string_view text, std::string_view part) {
  auto decoded = percent_decode(text);
  if (!decoded)
    return bad(fmt::format(
        "the {} of the URL has a '%' without two hex digits; write '%' itself as %25", part));
  if (has_control(*decoded))
    return bad(fmt::format("the {} of the URL holds a control character", part));
  field = std::move(*decoded);
  return {};
}

Result<void> parse_credentials(StoreUrl& url, std::string_view text) {
  const size_t colon = text.find(':');
  if (colon == std::string_view::npos) {
    return bad(
        "what stands before the '@' needs a ':', as in redis://user:password@host or "
        "redis://:password@host");
  }
  if (auto done = decode_into(url.user, text.substr(0, colon), "user"); !done) return done;
  return decode_into(url.password, text.substr(colon + 1), "password");
}

Result<void> parse_database(StoreUrl& url, std::string_view text) {
  const auto [end, error] = std::from_chars(text.begin(), text.end(), url.db);
  if (error == std::errc{} && end == text.end() && url.db >= 0 && url.db <= kLargestDatabase)
    return {};
  return bad(fmt::format("the database of the URL is not a number from 0 to {}", kLargestDatabase));
}

// "host", "host:port", "[::1]:port"
Result<void> parse_host(StoreUrl& url, std::string_view text) {
  std::string_view host = text;
  std::string_view port;
  bool has_port = false;
  const size_t bracket = text.starts_with('[') ? text.find(']') : 0;
  if (bracket == std::string_view::npos) return bad("the host of the URL has a '[' without a ']'");
  if (const size_t colon = text.find(':', bracket); colon != std::string_view::npos) {
    host = text.substr(0, colon);
    port = text.substr(colon + 1);
    has_port = true;
  }
  if (bracket > 0) {
    const auto address = IpAddress::parse(text.substr(1, bracket - 1));
    if (!address || !address->v6 || host.size() != bracket + 1) {
      return bad("what stands in brackets in the URL is not an IPv6 address");
    }
    host = host.substr(1, bracket - 1);
  }
  if (host.empty()) return bad("the URL has no host; e.g. redis://127.0.0.1:6379/0");
  if (host.find_first_of(" \\\"'<>") != std::string_view::npos) {
    return bad(
        "the host of the URL holds a space, a quote or another character that no host name has");
  }
  url.host = to_lower(host);
  if (!has_port) return {};
  const auto [end, error] = std::from_chars(port.begin(), port.end(), url.port);
  if (error == std::errc{} && end == port.end() && url.port > 0) return {};
  // Not quoted: with an unescaped '/' in a password this is a part of it.
  return bad(
      "the port of the URL is not a number from 1 to 65535; in a password '/' is written %2F, '@' "
      "%40 "
      "and '?' %3F");
}

Result<StoreUrl> parse_memory(std::string_view rest) {
  StoreUrl url;
  if (!rest.empty() && !rest.starts_with('/')) {
    return bad(
        "the file after memory: needs an absolute path, e.g. \"memory:/var/lib/policyd/state.db\"");
  }
  if (rest.ends_with('/'))
    return bad("the path after memory: names a directory; the state is a file in it");
  url.path = rest;
  return url;
}

Result<StoreUrl> parse_redis(std::string_view rest) {
  StoreUrl url;
  url.kind = StoreUrl::Kind::redis;
  if (!rest.starts_with("//"))
    return bad("the URL needs two slashes, as in redis://127.0.0.1:6379/0");
  rest.remove_prefix(2);
  const size_t slash = rest.find('/');
  std::string_view authority = rest.substr(0, slash);
  if (const size_t at = authority.rfind('@'); at != std::string_view::npos) {
    if (auto done = parse_credentials(url, authority.substr(0, at)); !done) return done.error();
    authority.remove_prefix(at + 1);
  }
  if (auto done = parse_host(url, authority); !done) return done.error();
  if (slash == std::string_view::npos || slash + 1 == rest.size()) return url;
  if (auto done = parse_database(url, rest.substr(slash + 1)); !done) return done.error();
  return url;
}

// "db=3&user=joe&password=secret"
Result<void> parse_query(StoreUrl& url, std::string_view query) {
  while (!query.empty()) {
    const size_t end = query.find('&');
    const std::string_view part = query.substr(0, end);
    query = end == std::string_view::npos ? std::string_view() : query.substr(end + 1);
    const size_t equals = part.find('=');
    const std::string_view name = part.substr(0, equals);
    const std::string_view value = equals == std::string_view::npos ? "" : part.substr(equals + 1);
    Result<void> done;
    if (name == "db") {
      done = parse_database(url, value);
    } else if (name == "user") {
      done = decode_into(url.user, value, "user");
    } else if (name == "password") {
      done = decode_into(url.password, value, "password");
    } else {
      done = bad("after the '?' of the URL only db=N, user= and password= are known");
    }
    if (!done) return done;
  }
  return {};
}

Result<StoreUrl> parse_redis_unix(std::string_view rest) {
  StoreUrl url;
  url.kind = StoreUrl::Kind::redis;
  const size_t slash = rest.starts_with("//") ? rest.find('/', 2) : std::string_view::npos;
  if (slash == std::string_view::npos) {
    return bad(
        "the URL needs the absolute path of a socket, as in "
        "redis+unix:///run/redis/redis.sock?db=0");
  }
  if (const std::string_view authority = rest.substr(2, slash - 2); !authority.empty()) {
    if (!authority.ends_with('@')) {
      return bad(
          "the URL needs three slashes before the path, as in redis+unix:///run/redis/redis.sock");
    }
    auto done = parse_credentials(url, authority.substr(0, authority.size() - 1));
    if (!done) return done.error();
  }
  const size_t question = rest.find('?', slash);
  if (auto done = decode_into(url.path, rest.substr(slash, question - slash), "path"); !done)
    return done.error();
  if (url.path.ends_with('/'))
    return bad("the path of the URL names a directory; the socket is a file in it");
  if (url.path.size() > kLongestSocketPath) {
    return bad(fmt::format("the path of the URL has {} octets; the system allows {}",
                           url.path.size(), kLongestSocketPath));
  }
  if (question == std::string_view::npos) return url;
  if (auto done = parse_query(url, rest.substr(question + 1)); !done) return done.error();
  return url;
}

Result<StoreUrl> not_served(std::string_view) {
  return bad(
      "this version cannot serve rediss://, redis-sentinel:// and redis-cluster://; use redis:// "
      "or redis+unix:// "
      "(a local TLS tunnel serves for rediss://)");
}

struct SchemeRow {
  std::string_view scheme;
  Result<StoreUrl> (*parse)(std::string_view rest);
};
constexpr std::array<SchemeRow, 6> kSchemes = {{
    {"memory", parse_memory},
    {"redis", parse_redis},
    {"redis+unix", parse_redis_unix},
    {"rediss", not_served},
    {"redis-sentinel", not_served},
    {"redis-cluster", not_served},
}};

}  // namespace

Result<StoreUrl> StoreUrl::parse(std::string_view text) {
  if (has_control(text)) return bad("the URL holds a control character");
  const size_t colon = text.find(':');
  if (colon != std::string_view::npos) {
    for (const SchemeRow& row : kSchemes) {
      if (row.scheme == text.substr(0, colon)) return row.parse(text.substr(colon + 1));
    }
  }
  return bad(
      "the URL begins with none of \"memory:\", \"redis://\" and \"redis+unix://\"; e.g. "
      "\"memory:/var/lib/policyd/state.db\"");
}

std::string StoreUrl::to_string() const {
  if (kind == Kind::memory) return "memory:" + path;
  std::string credentials;
  if (!user.empty() || !password.empty()) {
    credentials = fmt::format("{}:{}@", percent_encode(user), password.empty() ? "" : "***");
  }
  if (!path.empty()) {
    return fmt::format("redis+unix://{}{}{}", credentials, percent_encode(path, "/+,:=@"),
                       db == 0 ? "" : fmt::format("?db={}", db));
  }
  const bool literal = host.find(':') != std::string::npos;
  return fmt::format("redis://{}{}{}{}{}{}{}", credentials, literal ? "[" : "", host,
                     literal ? "]" : "", port == 6379 ? "" : fmt::format(":{}", port),
                     db == 0 ? "" : "/", db == 0 ? "" : fmt::format("{}", db));
}

}  // namespace policyd
