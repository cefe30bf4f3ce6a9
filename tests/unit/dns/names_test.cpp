// Which names can be asked for, and how they are written then.
#include "policyd/dns/names.h"

#include <doctest/doctest.h>

#include <string>

namespace policyd {
namespace {

std::string repeat(const std::string& text, int times) {
  std::string all;
  for (int i = 0; i < times; ++i) all += text;
  return all;
}

TEST_CASE("names: as the DNS is asked for them") {
  const std::string label63(63, 'a');
  const std::string name253 = label63 + "." + label63 + "." + label63 + "." + std::string(61, 'b');
  struct Case {
    std::string text;
    std::string want;  // empty: cannot be asked for
  };
  const Case cases[] = {
      {"example.com", "example.com"},
      {"EXAMPLE.Com", "example.com"},
      {"example.com.", "example.com"},
      {"com", "com"},
      {"_dmarc.Example.com", "_dmarc.example.com"},
      {"a b.example", "a b.example"},
      {"a\\b.example", "a\\b.example"},
      {"-x-.example", "-x-.example"},
      {"xn--nonsense---.example", "xn--nonsense---.example"},
      {"", ""},
      {".", ""},
      {"..", ""},
      {".example.com", ""},
      {"example..com", ""},
      {"example.com..", ""},
      {std::string("nul\0.example", 12), ""},
      {label63 + ".example", label63 + ".example"},
      {label63 + "a.example", ""},
      {name253, name253},
      {name253 + ".", name253},
      {name253 + "b", ""},
      {repeat("a.", 127), repeat("a.", 126) + "a"},
      {repeat("a.", 128), ""},
      {"münchen.de", "xn--mnchen-3ya.de"},
      {"MÜNCHEN.DE", "xn--mnchen-3ya.de"},
      {"mu\xcc\x88nchen.de", "xn--mnchen-3ya.de"},  // a combining diaeresis
      {"straße.de", "xn--strae-oqa.de"},            // non-transitional
      {"_dmarc.münchen.de", "_dmarc.xn--mnchen-3ya.de"},
      {"例え.テスト", "xn--r8jz45g.xn--zckzah"},
      {"例え。テスト", "xn--r8jz45g.xn--zckzah"},  // UTS #46: an ideographic full stop is a dot
      {"\xc3.example", ""},
      {"\xff", ""},
      {"\xed\xa0\x80.example", ""},  // a surrogate
      {repeat("ü", 60) + ".example", ""},
      {repeat("ü", 2000) + ".example", ""},
      {std::string("ü\0ü", 5), ""},
  };
  for (const Case& c : cases) {
    CAPTURE(c.text);
    const auto name = DnsName::parse(c.text);
    CHECK(name.has_value() == !c.want.empty());
    if (name) CHECK(name->view() == c.want);
  }
}

TEST_CASE("names: one label") {
  CHECK(to_a_label("Example") == "Example");
  CHECK(to_a_label("münchen") == "xn--mnchen-3ya");
  CHECK(!to_a_label("\xff"));
}

}  // namespace
}  // namespace policyd
