// Tables for people: aligned, cut to the terminal, and safe to print.
#include "policyd/ctl/table.h"

#include <doctest/doctest.h>

using namespace policyd;

TEST_CASE("table: columns are as wide as their widest cell, numbers to the right") {
  Table table({{"TYPE"}, {"COUNT", Align::right}, {"WHY"}});
  CHECK(table.empty());
  table.add({"email", "7", "spam"});
  table.add({"ip", "123456", ""});
  CHECK(table.render(0) ==
        "TYPE    COUNT  WHY\n"
        "email       7  spam\n"
        "ip     123456\n");
}

TEST_CASE("table: where the terminal is too narrow the last column is cut, and no other") {
  Table table({{"TARGET"}, {"DESCRIPTION"}});
  table.add({"joe@example.com", "abnormal volume since monday"});
  CHECK(table.render(45) ==
        "TARGET           DESCRIPTION\n"
        "joe@example.com  abnormal volume since monday\n");
  CHECK(table.render(35) ==
        "TARGET           DESCRIPTION\n"
        "joe@example.com  abnormal volume...\n");
  CHECK(table.render(5) ==
        "TARGET           DESCRIPTION\n"
        "joe@example.com  abnormal...\n");
}

TEST_CASE("table: a very wide cell is cut in its middle on a terminal, and in no other place") {
  Table table({{"ACCOUNT"}, {"LIMIT"}, {"USED", Align::right}});
  table.add({std::string(60, 'j') + "@example.com", "messages 60/1m", "7"});
  table.add({"ann@example.com", "messages 60/1m", "12345"});
  const std::string joe = std::string(19, 'j') + "..." + std::string(6, 'j') + "@example.com";
  CHECK(table.render(64) == "ACCOUNT" + std::string(35, ' ') + "LIMIT            USED\n" + joe +
                                "  messages 60/1m      7\nann@example.com" + std::string(27, ' ') +
                                "messages 60/1m  12345\n");
  CHECK(table.render(0).find(std::string(60, 'j') + "@example.com") != std::string::npos);
  CHECK(table.render(200) == table.render(0));
}

TEST_CASE("table: widths are counted in characters, not octets") {
  Table table({{"NAME"}, {"X"}});
  table.add({"j\xc3\xb6rg", "1"});
  table.add({"anna", "2"});
  CHECK(table.render(0) == "NAME  X\nj\xc3\xb6rg  1\nanna  2\n");
}

TEST_CASE("table: what a stranger wrote plays no tricks with the terminal") {
  struct Case {
    std::string_view text, shown;
  };
  const Case cases[] = {
      {"plain", "plain"},
      {"\x1b[2Jgone", "?[2Jgone"},
      {"two\nlines\ttab\x7f", "two?lines?tab?"},
      {"\xc2\x9b"
       "31m",
       "?31m"},
      {"caf\xc3\xa9", "caf\xc3\xa9"},
      {"broken \xff utf-8 \xc3", "broken ? utf-8 ?"},
      {"", ""},
  };
  for (const Case& one : cases) {
    CAPTURE(one.text);
    CHECK(displayable(one.text) == one.shown);
  }
}

TEST_CASE("table: of all lines a command prints nothing but line ends and the table's own tones is obeyed") {
  const std::pair<std::string_view, std::string_view> cases[] = {
      {"a\nb\n", "a\nb\n"},
      {"\x1b[32mgood\x1b[0m \x1b[1;31mbad\x1b[0m\n", "\x1b[32mgood\x1b[0m \x1b[1;31mbad\x1b[0m\n"},
      {"\x1b[31mred\x1b[2J\x1b", "?[31mred?[2J?"},
      {"caf\xc3\xa9\n\xff\n", "caf\xc3\xa9\n?\n"},
      {"locked \xc2\x9b"
       "31mx\r\n",
       "locked ?31mx?\n"},
      {"\n\n", "\n\n"},
      {"", ""},
  };
  for (const auto& [text, shown] : cases) {
    CAPTURE(text);
    CHECK(displayable_lines(text) == shown);
  }
  Table table({{"A\x1b[2J"}});
  table.add({"b"});
  CHECK(table.render(0) == "A?[2J\nb\n");
}

TEST_CASE("table: facts stand under each other, and those without a value are left out") {
  CHECK(render_facts({{"node", "mx1"}, {"account", ""}, {"up", "3d 4h"}}) ==
        "node  mx1\nup    3d 4h\n");
  CHECK(render_facts({}).empty());
}
