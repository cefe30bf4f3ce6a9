// The configuration file as such: one that cannot be read, that is no TOML, too long, too deep.
#include <doctest/doctest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fstream>

#include "shared/config.h"
#include "shared/config_keys.h"
#include "tests/support/temporary_directory.h"
#include "tests/support/test_config.h"

using namespace policyd;
using test::error_lines;
using test::TemporaryDirectory;

namespace {

std::string errors_of(std::string_view toml) { return error_lines(parse_config(toml, "policyd.toml", {})); }

}  // namespace

TEST_CASE("config: a long list is read as a short one is, and every repetition in it is an error") {
  constexpr int kMany = 60'000;
  std::string list;
  for (int i = 0; i < kMany; ++i) {
    list += "\"10." + std::to_string(i / 65'536) + "." + std::to_string(i / 256 % 256) + "." + std::to_string(i % 256) +
            "/32\",\n";
  }
  const auto config = test::config_from("[traffic]\nnetworks = [\n" + list + "]\n");
  CHECK(config->traffic.networks.size() == kMany);
  CHECK(config->traffic.networks.back().to_string() == "10.0.234.95");
  CHECK(errors_of("[traffic]\nnetworks = [\n" + list + "\"10.0.0.7\"]\n") ==
        "policyd.toml:60003:1: traffic.networks: \"10.0.0.7\" is given twice; remove one\n");
}

TEST_CASE("config: a file that cannot be read is one error that says what to do") {
  const TemporaryDirectory folder;
  const std::string missing = folder.file("missing.toml");
  CHECK(error_lines(load_config(missing, {})) ==
        missing +
            ": cannot read: No such file or directory; create it, or name another file with -c\n");
  CHECK(error_lines(load_config(folder.path(), {})) ==
        folder.path() + ": cannot read: Is a directory; name the file in it\n");
  const std::string locked = folder.file("locked.toml");
  std::ofstream(locked) << "\n";
  chmod(locked.c_str(), 0);
  if (geteuid() == 0) return;  // root may read everything
  CHECK(
      error_lines(load_config(locked, {})) ==
      locked +
          ": cannot read: Permission denied; make it readable for the user that policyd runs as\n");
}

TEST_CASE("config: errors name the file as it was given") {
  const TemporaryDirectory folder;
  const std::string path = folder.file("mine.toml");
  std::ofstream(path) << "[server]\ndeadline = 3\n";
  CHECK(error_lines(load_config(path, {})) ==
        path + ":2:12: server.deadline: expected a string such as \"3s\", found the number 3\n");
}

TEST_CASE("config: odd documents are errors, not crashes") {
  CHECK(errors_of(std::string("a\0b", 3)) != "");
  CHECK(errors_of("server = \"\xff\"") != "");
  CHECK(errors_of("a.b.c.d.e.f.g.h.i.j.k.l.m.n.o.p = 1") ==
        "policyd.toml:1:1: a: unknown key; expected \"server\", \"admin\", \"store\", \"dns\", \"traffic\", "
        "\"score\", \"blocks\", "
        "\"locks\", \"limits\", \"greylist\", \"notify\", \"log\", ...\n");
  CHECK(errors_of("server = " + std::string(1000, '[')) != "");
  std::string deep = "[server]\n a";
  for (int part = 1; part < 50'000; ++part) deep += ".a";
  CHECK(errors_of(deep + " = 1") ==
        "policyd.toml:2:2: syntax: a key of more than 32 parts; no key of policyd has that many\n");
  std::string nested = "a = 1";  // as deep as both limits together let it be
  for (int level = 0; level < 250; ++level) {
    std::string key = "a";
    for (size_t part = 1; part < kMostKeyParts; ++part) key += ".a";
    nested = key + " = { " + nested + " }";
  }
  CHECK(errors_of(nested).starts_with("policyd.toml:1:1: a: unknown key; expected "));
  CHECK(errors_of("[[server]]\ndeadline = \"3s\"") ==
        "policyd.toml:1:1: server: expected a table, written [server], found an array\n");
  CHECK(errors_of("[accounts.\"\"]\n") ==
        "policyd.toml:1:11: accounts.\"\": \"\" is not an account: write \"default\", a domain or "
        "a login\n");
  CHECK(errors_of("\xef\xbb\xbf# with a byte order mark\r\n[server]\r\ndeadline = \"3s\"\r\n") ==
        "");
}
