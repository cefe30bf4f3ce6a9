// The mirror: whom a block covers, when it runs out, what a full load leaves.
#include "policyd/store/mirror.h"

#include <doctest/doctest.h>

using namespace policyd;

namespace {

class HandTurnedClock final : public Clock {
 public:
  [[nodiscard]] WallTime wall() const override { return WallTime{now}; }
  [[nodiscard]] SteadyTime steady() const override { return SteadyTime{now}; }
  Milliseconds now{1'000'000};
};

Block block(BlockType type, std::string_view target,
            BlockDirection direction = BlockDirection::both) {
  auto made = BlockTarget::make(type, target);
  REQUIRE_MESSAGE(made.ok(), made.error().message);
  Block result;
  result.target = *made;
  result.direction = direction;
  return result;
}

struct Case {
  std::string_view label;
  BlockType type;
  std::string_view target;
  BlockSubject subject;
  bool found;
};

BlockSubject sent_by(std::string_view address) {
  return {.sender = address};
}
BlockSubject logged_in(std::string_view name) {
  return {.direction = Direction::outgoing,
          .sender = "other@example.org",
          .login = name,
          .account = name};
}
BlockSubject greeting(std::string_view name) {
  return {.ehlo = name};
}
BlockSubject from(std::string_view address) {
  return {.client = IpAddress::parse(address)};
}
BlockSubject from_name(std::string_view name) {
  return {.client_name = name};
}
BlockSubject sent_to(std::string_view address) {
  return {.recipient = address};
}

void run(const std::vector<Case>& cases) {
  for (const Case& row : cases) {
    CAPTURE(row.label);
    HandTurnedClock clock;
    Mirror mirror(clock);
    mirror.put_block(block(row.type, row.target));
    const Block* found = mirror.find(row.subject);
    CHECK((found != nullptr) == row.found);
    if (found != nullptr) CHECK(found->target == block(row.type, row.target).target);
    mirror.remove_block(block(row.type, row.target).target);
    CHECK(mirror.find(row.subject) == nullptr);
    CHECK(mirror.block_count() == 0);
  }
}

}  // namespace

TEST_CASE("mirror: an email block covers that sender or login and nobody else") {
  using enum BlockType;
  run({
      {"the sender", email, "joe@example.com", sent_by("joe@example.com"), true},
      {"the login", email, "joe@example.com", logged_in("joe@example.com"), true},
      {"a trailing dot", email, "joe@example.com", sent_by("joe@example.com."), true},
      {"another local part", email, "joe@example.com", sent_by("jo@example.com"), false},
      {"a subdomain", email, "joe@example.com", sent_by("joe@mail.example.com"), false},
      {"an '@' in the local part", email, "a@b@example.com", sent_by("a@b@example.com"), true},
      {"the tail of another local part", email, "b@example.com", sent_by("a@b@example.com"), false},
      {"a bare login", email, "joe@example.com", logged_in("joe"), false},
      {"the null sender", email, "joe@example.com", sent_by(""), false},
      {"a literal in another form", email, "joe@[IPv6:2001:db8::1]",
       sent_by("joe@[ipv6:2001:db8:0:0::1]"), true},
      {"what is no literal", email, "joe@[192.0.2.1]", sent_by("joe@[192.0.2.1"), false},
      {"the recipient", email, "joe@example.com", sent_to("joe@example.com"), false},
  });
}

TEST_CASE("mirror: a domain block covers the domain of sender or login and what lies below") {
  using enum BlockType;
  run({
      {"the domain", domain, "example.com", sent_by("joe@example.com"), true},
      {"below", domain, "example.com", sent_by("joe@a.b.example.com"), true},
      {"a trailing dot", domain, "example.com", sent_by("joe@b.example.com."), true},
      {"a longer label", domain, "example.com", sent_by("joe@notexample.com"), false},
      {"above", domain, "b.example.com", sent_by("joe@example.com"), false},
      {"after the last '@'", domain, "example.com", sent_by("joe@example.com@example.org"), false},
      {"the login's", domain, "example.com", logged_in("joe@example.com"), true},
      {"a bare login", domain, "com", logged_in("com"), false},
      {"the null sender", domain, "example.com", sent_by(""), false},
      {"a top-level domain", domain, "example", sent_by("joe@a.example"), true},
      {"a literal", domain, "[192.0.2.1]", sent_by("joe@[192.0.2.1]"), true},
      {"empty labels", domain, "example.com", sent_by("joe@..example.com"), true},
      {"only dots", domain, "example.com", sent_by("joe@..."), false},
  });
}

TEST_CASE("mirror: an EHLO block covers the name and what lies below, or the literal") {
  using enum BlockType;
  run({
      {"the name", ehlo, "mail.example.com", greeting("mail.example.com"), true},
      {"below", ehlo, "example.com", greeting("mail.example.com"), true},
      {"a trailing dot", ehlo, "example.com", greeting("example.com."), true},
      {"no host name at all", ehlo, "we?ird", greeting("we?ird"), true},
      {"the literal", ehlo, "[192.0.2.1]", greeting("[192.0.2.1]"), true},
      {"another literal", ehlo, "[192.0.2.1]", greeting("[192.0.2.11]"), false},
      {"a mapped literal", ehlo, "[192.0.2.1]", greeting("[ipv6:::ffff:192.0.2.1]"), true},
      {"an IPv6 literal", ehlo, "[IPv6:2001:DB8::1]", greeting("[ipv6:2001:db8:0::1]"), true},
      {"a missing name", ehlo, "example.com", greeting(""), false},
  });
}

TEST_CASE("mirror: a client block covers an address, a network or a confirmed name") {
  using enum BlockType;
  run({
      {"the address", client, "192.0.2.1", from("192.0.2.1"), true},
      {"a mapped address", client, "192.0.2.1", from("::ffff:192.0.2.1"), true},
      {"its neighbour", client, "192.0.2.1", from("192.0.2.2"), false},
      {"in the network", client, "192.0.2.0/25", from("192.0.2.127"), true},
      {"past the network", client, "192.0.2.0/25", from("192.0.2.128"), false},
      {"every IPv4 address", client, "0.0.0.0/0", from("203.0.113.9"), true},
      {"... but no IPv6 address", client, "0.0.0.0/0", from("2001:db8::1"), false},
      {"an IPv6 network", client, "2001:db8::/32", from("2001:db8:ffff::1"), true},
      {"past it", client, "2001:db8::/32", from("2001:db9::1"), false},
      {"an unknown client", client, "0.0.0.0/0", from("unknown"), false},
      {"the name", client, "example.com", from_name("mx.example.com"), true},
      {"another name", client, "example.com", from_name("mx.example.net"), false},
      {"no confirmed name", client, "unknown", from_name("unknown"), false},
  });
}

TEST_CASE("mirror: account and recipient blocks") {
  using enum BlockType;
  const BlockSubject by_address{.direction = Direction::outgoing, .account = "2001:db8::/64"};
  run({
      {"the login", account, "joe", logged_in("joe"), true},
      {"a login with a domain", account, "joe@example.com", logged_in("joe@example.com"), true},
      {"another", account, "joe", logged_in("joey"), false},
      {"an IPv6 client without a login", account, "2001:db8::7", by_address, true},
      {"the address", recipient, "bob@example.com", sent_to("bob@example.com"), true},
      {"another address", recipient, "bob@example.com", sent_to("al@example.com"), false},
      {"the address with a BATV tag", recipient, "bob@example.com", sent_to("prvs=1003abcdef=bob@example.com"), true},
      {"two of them", recipient, "bob@example.com", sent_to("prvs=1003abcdef=prvs=1003abcdef=bob@example.com"), false},
      {"the tagged address alone", recipient, "prvs=1003abcdef=bob@example.com", sent_to("bob@example.com"), false},
      {"just that tag", recipient, "prvs=1003abcdef=bob@example.com", sent_to("prvs=1003abcdef=bob@example.com"), true},
      {"a sender with a BATV tag", email, "joe@example.com", sent_by("prvs=1003abcdef=joe@example.com"), true},
      {"the domain", recipient, "example.com", sent_to("bob@example.com"), true},
      {"below", recipient, "example.com", sent_to("bob@a.example.com."), true},
      {"not the sender", recipient, "example.com", sent_by("bob@example.com"), false},
      {"a bare name", recipient, "example.com", sent_to("postmaster"), false},
  });
}

TEST_CASE(
    "mirror: a block covers its direction only; a nearer one of the other direction hides "
    "nothing") {
  HandTurnedClock clock;
  Mirror mirror(clock);
  BlockSubject incoming{.sender = "joe@a.example.com"};
  BlockSubject outgoing = incoming;
  outgoing.direction = Direction::outgoing;

  mirror.put_block(block(BlockType::domain, "a.example.com", BlockDirection::in));
  CHECK(mirror.find(incoming)->target.target == "a.example.com");
  CHECK(mirror.find(outgoing) == nullptr);
  mirror.put_block(block(BlockType::domain, "example.com", BlockDirection::out));
  CHECK(mirror.find(incoming)->target.target == "a.example.com");
  CHECK(mirror.find(outgoing)->target.target == "example.com");
  mirror.put_block(block(BlockType::email, "joe@a.example.com"));
  CHECK(mirror.find(incoming)->target.type == BlockType::email);
  CHECK(mirror.find(outgoing)->target.type == BlockType::email);
}

TEST_CASE("mirror: of several networks the longest prefix is found, and each can go") {
  HandTurnedClock clock;
  Mirror mirror(clock);
  const std::vector<std::string_view> targets = {"192.0.2.1", "192.0.2.0/24", "192.0.0.0/16"};
  for (const auto target : targets) mirror.put_block(block(BlockType::client, target));
  mirror.put_block(block(BlockType::client, "192.0.2.0/24"));  // again
  for (const auto target : targets) {
    const Block* found = mirror.find(from("192.0.2.1"));
    REQUIRE(found != nullptr);
    CHECK(found->target.target == target);
    mirror.remove_block(found->target);
  }
  CHECK(mirror.find(from("192.0.2.1")) == nullptr);
}

TEST_CASE("mirror: a block that has run out is not found, listed or counted, swept or not") {
  HandTurnedClock clock;
  Mirror mirror(clock);
  for (auto made :
       {block(BlockType::client, "192.0.2.0/24"), block(BlockType::email, "joe@example.com")}) {
    made.expires = clock.wall() + Milliseconds(1000);
    mirror.put_block(made);
  }
  mirror.put_block(block(BlockType::client, "192.0.0.0/16"));
  const BlockTarget joe = block(BlockType::email, "joe@example.com").target;

  clock.now += Milliseconds(999);
  CHECK(mirror.find(joe) != nullptr);
  CHECK(mirror.find(from("192.0.2.1"))->target.target == "192.0.2.0/24");
  CHECK(mirror.block_count() == 3);
  clock.now += Milliseconds(1);
  for (int round = 0; round < 2; ++round) {
    CHECK(mirror.find(joe) == nullptr);
    CHECK(mirror.find(sent_by("joe@example.com")) == nullptr);
    CHECK(mirror.find(from("192.0.2.1"))->target.target == "192.0.0.0/16");
    CHECK(mirror.block_count() == 1);
    CHECK(mirror.blocks().size() == 1);
    mirror.sweep();
  }
}

TEST_CASE("mirror: an overlong name is covered by what its last labels lie below") {
  HandTurnedClock clock;
  Mirror mirror(clock);
  mirror.put_block(block(BlockType::domain, "example.com"));
  std::string name;
  for (int i = 0; i < 32'000; ++i) name += "a.";
  CHECK(mirror.find(sent_by("joe@" + name)) == nullptr);
  const std::string below = "joe@" + name + "example.com";
  CHECK(mirror.find(sent_by(below)) != nullptr);
}

TEST_CASE("mirror: blocks are listed by type, then by target") {
  HandTurnedClock clock;
  Mirror mirror(clock);
  CHECK(mirror.find(sent_by("joe@example.com")) == nullptr);
  mirror.put_block(block(BlockType::recipient, "a@example.com"));
  mirror.put_block(block(BlockType::domain, "example.com"));
  mirror.put_block(block(BlockType::email, "b@example.com"));
  mirror.put_block(block(BlockType::email, "a@example.com"));
  Block again = block(BlockType::domain, "example.com");
  again.description = "the newer one";
  mirror.put_block(again);

  std::vector<std::string> listed;
  for (const Block& entry : mirror.blocks()) {
    listed.push_back(std::string(block_type_name(entry.target.type)) + " " + entry.target.target);
  }
  CHECK(listed == std::vector<std::string>{"email a@example.com", "email b@example.com",
                                           "domain example.com", "recipient a@example.com"});
  CHECK(mirror.find(again.target)->description == "the newer one");
}

TEST_CASE("mirror: every change of the settings is counted, a full load too") {
  HandTurnedClock clock;
  Mirror mirror(clock);
  AccountSettings settings;
  REQUIRE(settings.set("messages", "60/1m").ok());
  const uint64_t start = mirror.settings_version();
  mirror.put_settings("joe@example.com", settings);
  CHECK(mirror.settings_version() == start + 1);
  REQUIRE(mirror.settings("joe@example.com") != nullptr);
  CHECK(*mirror.settings("joe@example.com") == settings);
  mirror.remove_settings("nobody");
  CHECK(mirror.settings_version() == start + 1);
  mirror.remove_settings("joe@example.com");
  CHECK(mirror.settings_version() == start + 2);
  CHECK(mirror.settings("joe@example.com") == nullptr);

  Mirror fresh(clock);
  fresh.put_block(block(BlockType::client, "198.51.100.0/24"));
  fresh.put_settings("default", settings);
  mirror.put_block(block(BlockType::client, "192.0.2.0/24"));
  mirror.replace_all(std::move(fresh));
  CHECK(mirror.settings_version() == start + 3);
  CHECK(mirror.all_settings().size() == 1);
  CHECK(mirror.find(from("192.0.2.1")) == nullptr);
  CHECK(mirror.find(from("198.51.100.1")) != nullptr);
  mirror.remove_block(block(BlockType::client, "198.51.100.0/24").target);
  CHECK(mirror.find(from("198.51.100.1")) == nullptr);
}
