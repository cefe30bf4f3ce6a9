// Names in free text: which octets are one, and what takes their place.
#include "policyd/journal/free_text.h"

#include <doctest/doctest.h>

namespace policyd {
namespace {

std::string hidden(std::string_view text, bool clients = true) {
  const auto between = [](const char* brackets) {
    return [brackets](std::string_view name) { return std::string(brackets) + "(" + std::string(name) + ")"; };
  };
  const NamesInText names{
      {{"joe", "J"}, {"joe@example.com", "M"}, {"joe smith", "S"}, {"m", "?"}, {"192.0.2.7", "C"}},
      between("mail"),
      clients ? NamesInText::Naming(between("client")) : NamesInText::Naming()};
  return names.replaced_in(text);
}

TEST_CASE("free text: known names are replaced as whole words, the longest first, and once") {
  const struct {
    std::string_view text, want;
  } cases[] = {
      {"", ""},
      {"nobody", "nobody"},
      {"joe", "J"},
      {"Joe, JOE's and (joe).", "J, J's and (J)."},
      {"joel banjoe joe1 joe_1 joe-x", "joel banjoe joe1 J_1 J-x"},
      {"Joe Smith is joe", "S is J"},
      {"<JOE@Example.com>, sender=joe@example.com.", "<M>, sender=M."},
      {"http://why.example/?s=joe%40example.com&ip=192.0.2.7", "http://why.example/?s=J%40example.com&ip=C"},
      {"192.0.2.70 1192.0.2.7 [192.0.2.7]:25", "client(192.0.2.70) 1192.0.2.7 [C]:25"},
      {"\xc3\xb6joe joe\xc3\xb6", "\xc3\xb6J J\xc3\xb6"},
  };
  for (const auto& [text, want] : cases) CHECK(hidden(text) == want);
}

TEST_CASE("free text: whatever is an address of mail") {
  const struct {
    std::string_view text, want;
  } cases[] = {
      {"mail to ann@example.net.", "mail to mail(ann@example.net)."},
      {"joe@example.net, joe.ann+x@mx-1.example.net", "mail(joe@example.net), mail(joe.ann+x@mx-1.example.net)"},
      {"'ann@x' \"ann b\"@example.net <ann@[192.0.2.1]>",
       "mail('ann@x)' mail(\"ann b\"@example.net) <mail(ann@[192.0.2.1])>"},
      {"\"\\\"a\"@b", "mail(\"\\\"a\"@b)"},
      {"\xc3\xb6rg@\xc3\xb6.example", "mail(\xc3\xb6rg@\xc3\xb6.example)"},
      {"@example.com a@ b@[ c@ d \"@", "@example.com a@ b@[ c@ d \"@"},
      {"prvs=123=ann@example.net", "prvs=123=mail(ann@example.net)"},
  };
  for (const auto& [text, want] : cases) CHECK(hidden(text) == want);
}

TEST_CASE("free text: whatever is a client's address or network, where it is asked for") {
  CHECK(hidden("from 198.51.100.9, 198.51.100.0/24 and 2001:db8::1.") ==
        "from client(198.51.100.9), client(198.51.100.0/24) and client(2001:db8::1).");
  CHECK(hidden("[2001:DB8::]/64: ::1") == "[client(2001:DB8::)]/64: client(::1)");
  CHECK(hidden("1.2.3 1.2.3.4.5 at 10:00:00, 192.0.2.9/ 7") == "1.2.3 1.2.3.4.5 at 10:00:00, client(192.0.2.9)/ 7");
  CHECK(hidden("cafe 550 5.7.1 ...... dead::beefy") == "cafe 550 5.7.1 ...... dead::beefy");
  CHECK(hidden("ip:198.51.100.9 198.51.100.9:25 bad:198.51.100.9:25, client:198.51.100.0/24") ==
        "ip:client(198.51.100.9) client(198.51.100.9):25 bad:client(198.51.100.9):25, client:client(198.51.100.0/24)");
  CHECK(hidden("[IPv6:2001:db8::9] ip:2001:db8::9, [2001:db8::9]:25 and ::ffff:198.51.100.9:") ==
        "[IPv6:client(2001:db8::9)] ip:client(2001:db8::9), [client(2001:db8::9)]:25 and "
        "client(::ffff:198.51.100.9):");
  CHECK(hidden("198.51.100.1..198.51.100.9, 2001:db8::1..2001:db8::9 198.51.100.1-198.51.100.9") ==
        "client(198.51.100.1)..client(198.51.100.9), client(2001:db8::1)..client(2001:db8::9) "
        "client(198.51.100.1)-client(198.51.100.9)");
  CHECK(hidden("From 198.51.100.9.Then 198.51.100.9.zen.example, 198.51.100.9.") ==
        "From client(198.51.100.9).Then client(198.51.100.9).zen.example, client(198.51.100.9).");
  CHECK(hidden("2001:db8:1:2:3:4:5:6:25 12:34:56:78:9a:bc dead::beefy x198.51.100.9 198.51.100.9x") ==
        "client(2001:db8:1:2:3:4:5:6):25 12:34:56:78:9a:bc dead::beefy x198.51.100.9 198.51.100.9x");
  CHECK(hidden("198.51.100.9 192.0.2.7", false) == "198.51.100.9 C");
}

}  // namespace
}  // namespace policyd
