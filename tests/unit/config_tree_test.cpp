// The words in which the configuration speaks of its values and keys.
#include "shared/config_tree.h"

#include <doctest/doctest.h>

using namespace policyd;

TEST_CASE("config_tree: the nearest known key is found, and nothing is made up") {
  const std::vector<std::string_view> known = {"listen", "deadline", "socket_mode", "node", "url"};
  const std::pair<std::string_view, std::string_view> cases[] = {
      {"listen", "listen"},
      {"Listen", "listen"},
      {"lisetn", "listen"},
      {"deadlines", "deadline"},
      {"dedlin", "deadline"},
      {"dealdin", "deadline"},
      {"socket-mode", "socket_mode"},
      {"nodes", "node"},
      {"nod", "node"},
      {"urI", "url"},
      {"uri", "url"},
      {"colour", ""},
      {"", ""},
      {"ul", "url"},
      {"u", ""},
      {"timeout", ""},
  };
  for (const auto& [text, want] : cases) {
    CAPTURE(text);
    CHECK(nearest(text, known) == want);
  }
  CHECK(nearest(std::string(1000, 'x'), known).empty());
}

TEST_CASE("config_tree: keys and strings as TOML") {
  CHECK(toml_key("reverse_dns") == "reverse_dns");
  CHECK(toml_key("example.com") == "\"example.com\"");
  CHECK(toml_key("") == "\"\"");
  CHECK(toml_string("a \"b\" \\ c") == R"("a \"b\" \\ c")");
  CHECK(toml_string("a\nb\x7f") == R"("a\u000ab\u007f")");
}

TEST_CASE("config_tree: lists of names") {
  CHECK(list_names({}) == "");
  CHECK(list_names({"a"}) == "\"a\"");
  CHECK(list_names({"a", "b"}) == "\"a\" or \"b\"");
  CHECK(list_names({"a", "b", "c"}) == "\"a\", \"b\" or \"c\"");
  CHECK(list_names({"a", "b", "c"}, 2) == "\"a\", \"b\", ...");
}
