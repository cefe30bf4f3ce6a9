// Ids of the journal: their form, the time in them, how people write them, and their place in a text.
#include "policyd/journal/id.h"

#include <doctest/doctest.h>

#include <set>
#include <vector>

namespace policyd {
namespace {

constexpr WallTime kTime{Milliseconds{1'795'255'200'123}};  // 2026-11-21T10:00:00.123Z

TEST_CASE("journal id: its text says the time and the counter, and is read back") {
  struct Case {
    WallTime time;
    uint32_t counter;
    std::string text;
  };
  const std::vector<Case> cases{
      {WallTime{}, 0, "0000-0000-0000"},
      {WallTime{}, 1, "0000-0000-0001"},
      {WallTime{Milliseconds{1}}, 0, "0000-0000-8000"},
      {WallTime{Milliseconds{(int64_t{1} << 42) - 1}}, 262'143, "ZZZZ-ZZZZ-ZZZZ"},
      {WallTime{Milliseconds{(int64_t{1} << 42) - 1}}, 262'144, "ZZZZ-ZZZZ-R000"},
  };
  for (const Case& c : cases) {
    const JournalId id(c.time, c.counter);
    CHECK(id.to_string() == c.text);
    CHECK(id.to_string().size() == JournalId::kLength);
    CHECK(id.time() == c.time);
    CHECK(JournalId::parse(c.text) == id);
  }
  CHECK(JournalId(kTime, 77).time() == kTime);
  CHECK(JournalId::parse(JournalId(kTime, 77).to_string()) == JournalId(kTime, 77));
}

TEST_CASE("journal id: look-alikes, case and hyphens make no difference") {
  const auto id = JournalId::parse("01AB-0110-1Z9V");
  REQUIRE(id);
  for (const char* same : {"01ab-0110-1z9v", "01AB01101Z9V", "OIab-oLlo-iz9v", " 0-1-A-B-0-1-1-0-1-Z-9-V\n"}) {
    INFO(same);
    CHECK(JournalId::parse(same) == id);
  }
  for (const char* odd : {"", "-", "01AB-0110-1Z9", "01AB-0110-1Z9V0", "01AB-0110-1Z9U", "01AB 0110 1Z9V",
                          "01AB-0110-1Z9\xff", "(01AB-0110-1Z9V)", "01AB_0110_1Z9V"}) {
    INFO(odd);
    CHECK_FALSE(JournalId::parse(odd));
  }
}

TEST_CASE("journal id: ids of one moment differ, and sort by time") {
  JournalIds ids(0xffff'fff0);  // it runs over on the way
  std::set<JournalId> seen;
  for (int i = 0; i < 100'000; ++i) CHECK(seen.insert(ids.next(kTime)).second);
  const JournalId later = ids.next(kTime + Milliseconds{1});
  CHECK(*seen.rbegin() < later);
}

TEST_CASE("journal id: in a text the text is cut, never the id") {
  const std::string id = "7K2M-9QXW-1T5P";
  CHECK(with_id("5.7.1 Refused", id, 100) == "5.7.1 Refused (7K2M-9QXW-1T5P)");
  CHECK(with_id("5.7.1 Refused", id, 30) == "5.7.1 Refused (7K2M-9QXW-1T5P)");
  CHECK(with_id("5.7.1 Refused", id, 29) == "5.7.1 Ref... (7K2M-9QXW-1T5P)");
  CHECK(with_id("", id, 100) == " (7K2M-9QXW-1T5P)");
  for (size_t room = id.size() + 3; room < 60; ++room) {
    const std::string whole = with_id(std::string(200, 'x'), id, room);
    CHECK(whole.size() == room);
    CHECK(whole.ends_with(" (" + id + ")"));
  }
}

}  // namespace
}  // namespace policyd
