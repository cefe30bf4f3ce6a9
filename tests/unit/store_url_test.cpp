// StoreUrl: where the state is kept, as text.
#include <doctest/doctest.h>

#include "shared/config.h"

using namespace policyd;

namespace {

StoreUrl memory(std::string path) {
  StoreUrl url;
  url.path = std::move(path);
  return url;
}

StoreUrl redis(std::string host, uint16_t port = 6379, int db = 0, std::string user = "",
               std::string password = "") {
  StoreUrl url;
  url.kind = StoreUrl::Kind::redis;
  url.host = std::move(host);
  url.port = port;
  url.db = db;
  url.user = std::move(user);
  url.password = std::move(password);
  return url;
}

StoreUrl redis_unix(std::string path, int db = 0, std::string user = "",
                    std::string password = "") {
  StoreUrl url = redis("", 6379, db, std::move(user), std::move(password));
  url.path = std::move(path);
  return url;
}

}  // namespace

TEST_CASE("store_url: every form is read, and shown with the password masked") {
  struct Case {
    std::string_view text;
    StoreUrl want;
    std::string_view shown;
  };
  const Case cases[] = {
      {"memory:", memory(""), "memory:"},
      {"memory:/var/lib/policyd/state.db", memory("/var/lib/policyd/state.db"),
       "memory:/var/lib/policyd/state.db"},
      {"redis://db", redis("db"), "redis://db"},
      {"redis://DB.example.com:6380/3", redis("db.example.com", 6380, 3),
       "redis://db.example.com:6380/3"},
      {"redis://127.0.0.1/", redis("127.0.0.1"), "redis://127.0.0.1"},
      {"redis://[2001:db8::1]:7000", redis("2001:db8::1", 7000), "redis://[2001:db8::1]:7000"},
      {"redis://[::1]/2", redis("::1", 6379, 2), "redis://[::1]/2"},
      {"redis://joe:secret@db", redis("db", 6379, 0, "joe", "secret"), "redis://joe:***@db"},
      {"redis://:secret@db", redis("db", 6379, 0, "", "secret"), "redis://:***@db"},
      {"redis://joe:@db", redis("db", 6379, 0, "joe", ""), "redis://joe:@db"},
      {"redis://j%40e:a%2Fb%3a%25@db:1", redis("db", 1, 0, "j@e", "a/b:%"),
       "redis://j%40e:***@db:1"},
      {"redis://joe:p@ss@db", redis("db", 6379, 0, "joe", "p@ss"), "redis://joe:***@db"},
      {"redis+unix:///run/redis.sock", redis_unix("/run/redis.sock"),
       "redis+unix:///run/redis.sock"},
      {"redis+unix:///run/redis.sock?db=3", redis_unix("/run/redis.sock", 3),
       "redis+unix:///run/redis.sock?db=3"},
      {"redis+unix://joe:secret@/run/r", redis_unix("/run/r", 0, "joe", "secret"),
       "redis+unix://joe:***@/run/r"},
      {"redis+unix:///run/r?user=joe&password=a%26b&db=1", redis_unix("/run/r", 1, "joe", "a&b"),
       "redis+unix://joe:***@/run/r?db=1"},
      {"redis+unix:///run/a%3Fb", redis_unix("/run/a?b"), "redis+unix:///run/a%3Fb"},
  };
  for (const Case& each : cases) {
    CAPTURE(each.text);
    const auto parsed = StoreUrl::parse(each.text);
    REQUIRE(parsed);
    CHECK(*parsed == each.want);
    CHECK(parsed->to_string() == each.shown);
  }
}

TEST_CASE("store_url: what is none says why, and never shows a password") {
  constexpr std::string_view kBegins =
      "the URL begins with none of \"memory:\", \"redis://\" and \"redis+unix://\"; e.g. "
      "\"memory:/var/lib/policyd/state.db\"";
  constexpr std::string_view kLater =
      "this version cannot serve rediss://, redis-sentinel:// and redis-cluster://; use redis:// "
      "or redis+unix:// "
      "(a local TLS tunnel serves for rediss://)";
  constexpr std::string_view kPort =
      "the port of the URL is not a number from 1 to 65535; in a password '/' is written %2F, '@' "
      "%40 and '?' %3F";
  constexpr std::string_view kCredentials =
      "what stands before the '@' needs a ':', as in redis://user:password@host or "
      "redis://:password@host";
  const std::pair<std::string_view, std::string_view> cases[] = {
      {"", kBegins},
      {"/var/lib/policyd/secret.db", kBegins},
      {"http://joe:secret@db", kBegins},
      {"memory:state.db",
       R"(the file after memory: needs an absolute path, e.g. "memory:/var/lib/policyd/state.db")"},
      {"memory:/var/lib/", "the path after memory: names a directory; the state is a file in it"},
      {"redis:db", "the URL needs two slashes, as in redis://127.0.0.1:6379/0"},
      {"redis://", "the URL has no host; e.g. redis://127.0.0.1:6379/0"},
      {"redis://:secret@", "the URL has no host; e.g. redis://127.0.0.1:6379/0"},
      {"redis://secret@db", kCredentials},
      {"redis://joe:secret/more@db", kPort},
      {"redis://db:0", kPort},
      {"redis://db:65536", kPort},
      {"redis://[::1", "the host of the URL has a '[' without a ']'"},
      {"redis://[127.0.0.1]", "what stands in brackets in the URL is not an IPv6 address"},
      {"redis://[::1]x", "what stands in brackets in the URL is not an IPv6 address"},
      {"redis://secret db",
       "the host of the URL holds a space, a quote or another character that no host name has"},
      {"redis://db/x", "the database of the URL is not a number from 0 to 65535"},
      {"redis://db/-1", "the database of the URL is not a number from 0 to 65535"},
      {"redis://joe:1/secret@db", "the database of the URL is not a number from 0 to 65535"},
      {"redis://joe:secret%4@db",
       "the password of the URL has a '%' without two hex digits; write '%' itself as %25"},
      {"redis://joe:secret%0a@db", "the password of the URL holds a control character"},
      {"redis://joe\nsecret", "the URL holds a control character"},
      {"redis+unix:/run/r",
       "the URL needs the absolute path of a socket, as in "
       "redis+unix:///run/redis/redis.sock?db=0"},
      {"redis+unix://run/r",
       "the URL needs three slashes before the path, as in redis+unix:///run/redis/redis.sock"},
      {"redis+unix:///run/", "the path of the URL names a directory; the socket is a file in it"},
      {"redis+unix://secret@/run/r", kCredentials},
      {"redis+unix:///run/r?pass=secret",
       "after the '?' of the URL only db=N, user= and password= are known"},
      {"rediss://db", kLater},
      {"redis-sentinel://h1,h2/main", kLater},
      {"redis-cluster://h1,h2", kLater},
  };
  for (const auto& [text, reason] : cases) {
    CAPTURE(text);
    const auto parsed = StoreUrl::parse(text);
    REQUIRE_FALSE(parsed);
    CHECK(parsed.error().message == reason);
  }
}
