// Targets of blocks: one canonical form for all that people write, and errors for what matches
// nothing.
#include <doctest/doctest.h>

#include "shared/block.h"

using namespace policyd;
using namespace std::string_literals;

TEST_CASE("block: targets come into canonical form, and stay in it") {
  struct Case {
    BlockType type;
    std::string target, want;
  };
  const Case cases[] = {
      {BlockType::email, "Joe@Example.COM", "joe@example.com"},
      {BlockType::email, "joe@example.com.", "joe@example.com"},
      {BlockType::email, "a b=c@d\"e@example.com", "a b=c@d\"e@example.com"},
      {BlockType::email, "\"Joe Smith\"@example.com", "joe smith@example.com"},
      {BlockType::email, R"("a\"b\\c"@example.com)", R"(a"b\c@example.com)"},
      {BlockType::email, R"("\"a\""@example.com)", R"("\"a\""@example.com)"},
      {BlockType::email, "\"\"\"@example.com", "\"\"\"@example.com"},
      {BlockType::email,
       "j\xc3\xb6rg@b\xc3\xbc"
       "cher.example",
       "j\xc3\xb6rg@b\xc3\xbc"
       "cher.example"},
      {BlockType::email, "joe@[IPv6:2001:DB8:0::1]", "joe@[ipv6:2001:db8::1]"},
      {BlockType::email, "root@localhost", "root@localhost"},
      {BlockType::domain, "Example.COM.", "example.com"},
      {BlockType::domain, ".example.com", "example.com"},
      {BlockType::domain, "@example.com", "example.com"},
      {BlockType::domain, "xyz", "xyz"},
      {BlockType::domain, "_a-b.example.com", "_a-b.example.com"},
      {BlockType::domain, "[192.0.2.1]", "[192.0.2.1]"},
      {BlockType::ehlo, "Host.Example.COM.", "host.example.com"},
      {BlockType::ehlo, ".example.com", "example.com"},
      {BlockType::ehlo, "ylmf-pc", "ylmf-pc"},
      {BlockType::ehlo, "*$odd!..name", "*$odd!..name"},
      {BlockType::ehlo, "192.0.2.1", "192.0.2.1"},
      {BlockType::ehlo, "[192.0.2.1]", "[192.0.2.1]"},
      {BlockType::ehlo, "[IPv6:2001:DB8:0:0::1]", "[ipv6:2001:db8::1]"},
      {BlockType::ehlo, "[2001:db8::1]", "[ipv6:2001:db8::1]"},
      {BlockType::ehlo, "[ipv6:::ffff:192.0.2.1]", "[192.0.2.1]"},
      {BlockType::client, "192.0.2.1", "192.0.2.1"},
      {BlockType::client, "192.0.2.1/32", "192.0.2.1"},
      {BlockType::client, "192.0.2.0/24", "192.0.2.0/24"},
      {BlockType::client, "2001:0DB8:0:0:0:0:0:1", "2001:db8::1"},
      {BlockType::client, "[2001:db8::1]", "2001:db8::1"},
      {BlockType::client, "::ffff:192.0.2.1", "192.0.2.1"},
      {BlockType::client, "2001:DB8::/32", "2001:db8::/32"},
      {BlockType::client, "Mail.Example.com.", "mail.example.com"},
      {BlockType::client, ".example.com", "example.com"},
      {BlockType::account, "Joe", "joe"},
      {BlockType::account, "Joe@Example.com", "joe@example.com"},
      {BlockType::account, "EXAMPLE\\joe smith/x.", "example\\joe smith/x."},
      {BlockType::account, "192.0.2.1", "192.0.2.1"},
      {BlockType::account, "192.0.2.1/32", "192.0.2.1"},
      {BlockType::account, "2001:DB8::1", "2001:db8::/64"},
      {BlockType::account, "2001:DB8::/64", "2001:db8::/64"},
      {BlockType::recipient, "Bob@Example.com", "bob@example.com"},
      {BlockType::recipient, "Example.com", "example.com"},
      {BlockType::recipient, "@Example.com", "example.com"},
      {BlockType::recipient, "postmaster", "postmaster"},
  };
  for (const Case& c : cases) {
    const auto target = BlockTarget::make(c.type, c.target);
    REQUIRE_MESSAGE(target.ok(), target.error().message);
    CHECK(target->type == c.type);
    CHECK(target->target == c.want);
    const auto again = BlockTarget::make(c.type, target->target);
    REQUIRE_MESSAGE(again.ok(), c.target);
    CHECK(*again == *target);
  }
}

TEST_CASE("block: a target that can match nothing is an error") {
  const std::string covers = "; expected e.g. example.com, which covers what lies below it";
  const std::string empty_part =
      " is not a domain name: a part between its dots is empty; expected e.g. example.com";
  struct Case {
    BlockType type;
    std::string target, want;
  };
  const Case cases[] = {
      {BlockType::email, "", "email block: the target is empty"},
      {BlockType::email, "joe",
       "email block: \"joe\" has no domain; expected e.g. joe@example.com"},
      {BlockType::email, "@example.com",
       "email block: \"@example.com\" has no local part; a whole domain is blocked with the type "
       "domain"},
      {BlockType::email, "joe@", "email block: \"joe@\": \"\"" + empty_part},
      {BlockType::email, "joe@.example.com",
       "email block: \"joe@.example.com\": \".example.com\"" + empty_part},
      {BlockType::email, "<joe@example.com>",
       "email block: \"<joe@example.com>\": \"example.com>\" is not a domain name: it holds \">\"" +
           covers},
      {BlockType::email, "joe\n@example.com",
       "email block: \"joe\\x0a@example.com\" holds a control character"},
      {BlockType::email, "j\xff@example.com",
       "email block: \"j\\xff@example.com\" is not valid UTF-8"},
      {BlockType::domain, "*.example.com",
       "domain block: \"*.example.com\" is not a domain name: it holds \"*\"" + covers},
      {BlockType::domain, "joe@example.com",
       "domain block: \"joe@example.com\" is not a domain name: it holds \"@\"" + covers},
      {BlockType::domain, " example.com",
       "domain block: \" example.com\" is not a domain name: it holds \" \"" + covers},
      {BlockType::domain, "a..b", "domain block: \"a..b\"" + empty_part},
      {BlockType::domain, ".", "domain block: \"\"" + empty_part},
      {BlockType::ehlo, "..",
       "ehlo block: \"..\" is not an EHLO name; expected e.g. host.example.com"},
      {BlockType::ehlo, "a b",
       "ehlo block: \"a b\" is not an EHLO name: it holds a space; expected e.g. host.example.com"},
      {BlockType::ehlo, "[192.0.2.300]",
       "ehlo block: \"[192.0.2.300]\" is not an address literal; expected e.g. [192.0.2.1] or "
       "[IPv6:2001:db8::1]"},
      {BlockType::client, "192.0.2.1/24",
       "client block: 192.0.2.1/24: host bits are set; did you mean 192.0.2.0/24?"},
      {BlockType::client, "192.0.2",
       "client block: \"192.0.2\" is not an IP address or network; expected e.g. 192.0.2.0/24 or "
       "2001:db8::/32"},
      {BlockType::account, "192.0.2.0/24",
       "account block: \"192.0.2.0/24\" is not an account: without a login that is an IPv4 address "
       "or an IPv6 /64; a network is blocked with the type client"},
      {BlockType::account, "\0"s, "account block: \"\\x00\" holds a control character"},
      {BlockType::recipient, "", "recipient block: the target is empty"},
      {BlockType::recipient, "@", "recipient block: \"\"" + empty_part},
  };
  for (const Case& c : cases) {
    const auto target = BlockTarget::make(c.type, c.target);
    REQUIRE_MESSAGE(!target.ok(), c.target);
    CHECK(target.error().message == c.want);
  }
}

TEST_CASE("block: a target has 320 octets at most") {
  const std::string domain = "@example.com";
  CHECK(BlockTarget::make(BlockType::email, std::string(308, 'x') + domain).ok());
  const auto target = BlockTarget::make(BlockType::email, std::string(309, 'x') + domain);
  REQUIRE(!target.ok());
  CHECK(target.error().message ==
        "email block: \"" + std::string(256, 'x') + "\"... is longer than 320 octets");
}

TEST_CASE("block: the type is inferred where the target tells") {
  struct Case {
    std::string target;
    BlockType type;
    std::string want;
  };
  const Case cases[] = {
      {"Joe@example.com", BlockType::email, "joe@example.com"},
      {"192.0.2.1", BlockType::client, "192.0.2.1"},
      {"192.0.2.0/24", BlockType::client, "192.0.2.0/24"},
      {"2001:DB8::1", BlockType::client, "2001:db8::1"},
      {"[::1]/128", BlockType::client, "::1"},
      {"Example.com", BlockType::domain, "example.com"},
      {".xyz", BlockType::domain, "xyz"},
      {"@example.com", BlockType::domain, "example.com"},
  };
  for (const Case& c : cases) {
    const auto target = BlockTarget::infer(c.target);
    REQUIRE_MESSAGE(target.ok(), target.error().message);
    CHECK(target->type == c.type);
    CHECK(target->target == c.want);
  }
}

TEST_CASE("block: where the target does not tell, the type is asked for") {
  for (const std::string text : {"joe", "ylmf-pc", "[192.0.2.1]", "[IPv6:2001:db8::1]"}) {
    const auto target = BlockTarget::infer(text);
    REQUIRE_MESSAGE(!target.ok(), text);
    CHECK(target.error().message ==
          "block: \"" + text +
              "\" may be of several types; say which with --type email, domain, ehlo, client, "
              "account or recipient");
  }
  CHECK(BlockTarget::infer("").error().message == "block: the target is empty");
  CHECK(BlockTarget::infer("192.0.2.1/24").error().message ==
        "client block: 192.0.2.1/24: host bits are set; did you mean 192.0.2.0/24?");
}

TEST_CASE("block: address literals have one form") {
  CHECK(canonical_literal("[192.0.2.1]") == "[192.0.2.1]");
  CHECK(canonical_literal("[IPV6:2001:DB8::1]") == "[ipv6:2001:db8::1]");
  CHECK(canonical_literal("[2001:DB8::1]") == "[ipv6:2001:db8::1]");
  for (const std::string text : {"", "[", "[]", "192.0.2.1", "[IPv6:192.0.2.1]", "[IPv6:]", "[x]",
                                 "[192.0.2.1", "[192.0.2.1]x"}) {
    CHECK_MESSAGE(!canonical_literal(text), text);
  }
}

TEST_CASE("block: the names of the types") {
  const std::string_view names[] = {"email", "domain", "ehlo", "client", "account", "recipient"};
  CHECK(std::size(names) == kBlockTypes);
  for (size_t i = 0; i < kBlockTypes; ++i) {
    CHECK(block_type_name(static_cast<BlockType>(i)) == names[i]);
    CHECK(parse_block_type(names[i]) == static_cast<BlockType>(i));
  }
  CHECK(!parse_block_type("Email"));
  CHECK(!parse_block_type(""));
}
