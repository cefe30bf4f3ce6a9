// Where the admin API is, from a configuration file of which nothing else is understood.
#include "shared/config_admin.h"

#include <doctest/doctest.h>
#include <fstream>

#include "tests/support/temporary_directory.h"

using namespace policyd;

namespace {

std::string listed(const Result<std::vector<Endpoint>>& endpoints) {
  if (!endpoints) return endpoints.error().message;
  std::string all;
  for (const Endpoint& endpoint : *endpoints) all += endpoint.to_string() + " ";
  return all;
}

}  // namespace

TEST_CASE("config_admin: admin.listen is read, or its default, whatever else the file says") {
  const test::TemporaryDirectory directory;
  const std::string path = directory.file("policyd.toml");
  struct Case {
    std::string_view toml, found;
  };
  const Case cases[] = {
      {"", "unix:/run/policyd/admin.sock "},
      {"[admin]\nsocket_mode = \"0600\"\n", "unix:/run/policyd/admin.sock "},
      {"[admin]\nlisten = [\"unix:/a\", \"unix:/b\"]\n[nonsense]\nx = 1\n", "unix:/a unix:/b "},
      {"[admin]\nlisten = []\n", ""},
      {"[admin]\nlisten = \"unix:/a\"\n",
       ":2:10: admin.listen: expected a list, e.g. [\"unix:/run/policyd/admin.sock\"]"},
      {"[admin]\nlisten = [1]\n",
       ":2:11: admin.listen: expected a string, e.g. \"unix:/run/policyd/admin.sock\""},
      {"[admin]\nlisten = [\"unix:a\"]\n",
       ":2:11: admin.listen: \"unix:a\" needs an absolute path, e.g. "
       "\"unix:/var/spool/postfix/private/policyd\""},
  };
  for (const Case& one : cases) {
    CAPTURE(one.toml);
    std::ofstream(path) << one.toml;
    const std::string file = one.found.starts_with(':') ? path : "";
    CHECK(listed(load_admin_listen(path)) == file + std::string(one.found));
  }
}

TEST_CASE("config_admin: a file that cannot be read or parsed is named") {
  const test::TemporaryDirectory directory;
  const std::string path = directory.file("policyd.toml");
  CHECK(listed(load_admin_listen(path)) == path + ": cannot read: No such file or directory");
  std::ofstream(path) << "[admin\n";
  CHECK(listed(load_admin_listen(path)).starts_with(path + ":1:"));
}
