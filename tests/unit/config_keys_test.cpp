// Keys of too many parts: where they are found, and what is none.
#include "shared/config_keys.h"

#include <doctest/doctest.h>

#include <string>
#include <vector>

using namespace policyd;

namespace {

// "k.k.k" of so many parts.
std::string key(size_t parts, const std::string& dot = ".", const std::string& part = "k") {
  std::string key = part;
  for (size_t i = 1; i < parts; ++i) key += dot + part;
  return key;
}

}  // namespace

TEST_CASE("config_keys: a key of too many parts is found where it begins") {
  const std::string most = key(kMostKeyParts), more = key(kMostKeyParts + 1);
  CHECK_FALSE(overlong_key(most + " = 1\n").has_value());
  struct Case {
    std::string toml;
    ConfigPosition at;
  };
  const Case cases[] = {
      {more + " = 1", {1, 1}},
      {"\xef\xbb\xbf" + more + " = 1", {1, 1}},
      {"[server]\n  " + more + " = 1\n", {2, 3}},
      {"[" + more + "]\n", {1, 2}},
      {"[[" + more + "]]\n", {1, 3}},
      {"a = { b = 1, " + more + " = 1 }", {1, 14}},
      {"a = [1.5, { " + more + " = 1 }]", {1, 13}},
      {key(kMostKeyParts + 1, " \t.  ") + " = 1", {1, 1}},
      {key(kMostKeyParts + 1, ".", "\"a.b\"") + " = 1", {1, 1}},
      {key(kMostKeyParts + 1, ".", "'a\"'") + " = 1", {1, 1}},
      {key(kMostKeyParts + 1, "..") + " = 1", {1, 1}},  // no TOML either
      {"a = \"\"\"\n\\\"\"\" \xc3\xb6\"\"\" #'\r\n" + more + " = 1", {3, 1}},
      {"\xc3\xb6 = '''\n\n''', " + more, {3, 6}},
      {"a = \"not closed\n" + more + " = 1", {2, 1}},
      {key(50'000) + " = 1", {1, 1}},
  };
  for (const Case& each : cases) {
    CAPTURE(each.toml);
    const auto found = overlong_key(each.toml);
    REQUIRE(found.has_value());
    CHECK(found->line == each.at.line);
    CHECK(found->column == each.at.column);
  }
}

TEST_CASE("config_keys: dots in strings, in comments and in keys beside each other are none of a key") {
  const std::string more = key(kMostKeyParts + 1);
  const std::vector<std::string> documents{
      "a = \"" + more + "\"", "a = '" + more + "'", "a = \"\"\"\n" + more + "\n\"\"\"", "a = '''" + more + "\n'''",
      "# " + more + "\n", "a = 1 # " + more, "a = \"\\\"" + more + "\"", "a = \"" + more, "a = '''" + more,
      "a = [" + key(100, ", ", "1.5") + "]", key(100, " = 1\n", "a.b"), std::string(1000, '.'), "", "\"",
      "a = \"\\", "\"\"\"\\"};
  for (const std::string& toml : documents) {
    CAPTURE(toml);
    CHECK_FALSE(overlong_key(toml).has_value());
  }
}
