// What strangers wrote, on a terminal and in JSON: shown, never obeyed.
#include "shared/displayable.h"

#include <doctest/doctest.h>

#include <nlohmann/json.hpp>
#include <string>
#include <utility>

using namespace policyd;

TEST_CASE("displayable: what a terminal obeys, or what changes how others are shown, is a question mark") {
  const std::pair<std::string_view, std::string_view> cases[] = {
      {"caf\u00e9 \u65e5 \U0001f600", "caf\u00e9 \u65e5 \U0001f600"},
      {"\x1b[31m", "?[31m"},
      {"a\tb\r\nc", "a?b??c"},
      {"\x7f", "?"},
      {"\u0080\u0085\u009b31m\u009f\u00a1", "???31m?\u00a1"},
      {"\u061c\u180e\u200b\u200f", "????"},
      {"a\u202egro.example", "a?gro.example"},
      {"\u2028\u2029\u2066x\u2069", "???x?"},
      {"\ufeff\ufff9\U000e0041", "???"},
      {"\u00ac\u00ad\u00ae", "\u00ac?\u00ae"},
      {"\u034e\u034f\u0350", "\u034e?\u0350"},
      {"\u115e\u115f\u1160\u1161", "\u115e??\u1161"},
      {"\u17b3\u17b4\u17b5\u17b6", "\u17b3??\u17b6"},
      {"\u180a\u180b\u180d\u180f\u1810", "\u180a???\u1810"},
      {"\u3163\u3164\u3165", "\u3163?\u3165"},
      {"\ufdff\ufe00\ufe0f\ufe10", "\ufdff??\ufe10"},
      {"\uff9f\uffa0\uffa1", "\uff9f?\uffa1"},
      {"\uffef\ufff0\ufffb\ufffc", "\uffef??\ufffc"},
      {"\U0001bc9f\U0001bca0\U0001bca3\U0001bca4", "\U0001bc9f??\U0001bca4"},
      {"\U0001d172\U0001d173\U0001d17a\U0001d17b", "\U0001d172??\U0001d17b"},
      {"\U000e0000\U000e0100\U000e01ef\U000e0fff\U000e1000", "????\U000e1000"},
      {"\u2010\u2027\u202f\u205f\u2070", "\u2010\u2027\u202f\u205f\u2070"},
      {"\xe2\x80", "??"},
      {"", ""},
  };
  for (const auto& [text, shown] : cases) {
    CAPTURE(text);
    CHECK(displayable(text) == shown);
  }
}

TEST_CASE("displayable: a name that could be taken for another stands between quotes") {
  const std::pair<std::string, std::string> cases[] = {
      {"joe@example.com", "joe@example.com"},
      {"j\u00f6rg", "j\u00f6rg"},
      {"a b", "a b"},
      {" lead", R"(" lead")"},
      {"trail ", R"("trail ")"},
      {R"("joe"@example.com)", R"("\"joe\"@example.com")"},
      {"a\tb", R"("a\x09b")"},
      {"\x7f", R"("\x7f")"},
      {"\u202ejoe", R"("\xe2\x80\xaejoe")"},
      {"jo\ufe0fe@example.com", R"("jo\xef\xb8\x8fe@example.com")"},
      {"", R"("")"},
      {std::string(1000, 'x') + " ", "\"" + std::string(1000, 'x') + " \""},
  };
  for (const auto& [name, shown] : cases) {
    CAPTURE(name);
    CHECK(displayable_name(name) == shown);
  }
}

TEST_CASE("displayable: JSON stays the same value, with what is unseen escaped") {
  const nlohmann::json value = {{"k\u009b", "a\u0085\x7f\u202e\u2028\ufeff\U000e0041\x1b caf\u00e9 \U0001f600"}};
  const std::string text = displayable_json(value.dump(1));
  CHECK(text ==
        "{\n \"k\\u009b\": \"a\\u0085\\u007f\\u202e\\u2028\\ufeff\\udb40\\udc41\\u001b caf\u00e9 \U0001f600\"\n}");
  CHECK(nlohmann::json::parse(text) == value);
  CHECK(displayable_json("{}") == "{}");
}
