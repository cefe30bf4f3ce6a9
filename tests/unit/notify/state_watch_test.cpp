// The watch: a store that is lost and back, lists that are suspended and back, each told once.
#include "policyd/notify/state_watch.h"

#include <doctest/doctest.h>

#include "policyd/notify/event.h"
#include "tests/support/fake_clock.h"
#include "tests/support/fake_resolver.h"
#include "tests/support/fake_sink.h"
#include "tests/support/fake_store.h"
#include "tests/support/test_config.h"

using namespace policyd;

namespace {

constexpr std::string_view kLists =
    "[[checks.dnsbl.zones]]\nzone = \"bl.example\"\nlabel = \"A list\"\n"
    "[[checks.rhsbl.zones]]\nzone = \"bl.example\"\n";

}  // namespace

TEST_CASE("state watch: the store is lost and back") {
  test::FakeStore store;
  test::FakeClock clock;
  test::FakeResolver resolver;
  Zones zones(resolver, clock);
  test::FakeSink sink;
  StateWatch watch(store, zones, "mx1", sink);
  watch.look();
  CHECK(sink.told.empty());
  store.away = true;
  watch.look();
  watch.look();
  REQUIRE(sink.told.size() == 1);
  CHECK(sink.told[0].details["node"] == "mx1");
  CHECK(sink.lines() == "store_lost: the store  is ; limits are enforced on this node alone until it is back\n");
  store.away = false;
  watch.look();
  watch.look();
  CHECK(sink.lines() == "store_back: the store  is back\n");
}

TEST_CASE("state watch: a list is suspended and back; one of addresses and one of names are two") {
  test::FakeStore store;
  test::FakeClock clock;
  test::FakeResolver resolver("1.0.0.127.bl.example A 127.0.0.2\n");  // lists everybody
  Zones zones(resolver, clock);
  zones.reconfigure(*test::config_from(kLists));
  test::FakeSink sink;
  StateWatch watch(store, zones, "mx1", sink);
  watch.look();
  CHECK(sink.told.empty());
  zones.tick();
  watch.look();
  watch.look();
  REQUIRE(sink.told.size() == 1);
  CHECK(sink.told[0].details["list"] == "bl.example");
  CHECK(sink.told[0].details["label"] == "A list");
  CHECK(sink.lines() == "list_suspended: the DNS list bl.example is suspended: lists 127.0.0.1, which no list may: it "
                        "would list everybody\n");
  // A list that is no longer used is no news.
  zones.reconfigure(*test::config_from(""));
  watch.look();
  CHECK(sink.told.empty());
}

TEST_CASE("state watch: a store that is lost again while that is not wanted is told of as soon as it is") {
  test::FakeStore store;
  test::FakeClock clock;
  test::FakeResolver resolver;
  Zones zones(resolver, clock);
  test::FakeSink sink;
  StateWatch watch(store, zones, "mx1", sink);
  for (const bool away : {true, false}) {
    store.away = away;
    watch.look();
  }
  CHECK(sink.lines() == "store_lost: the store  is ; limits are enforced on this node alone until it is back\n"
                        "store_back: the store  is back\n");
  sink.unwanted = {{EventKind::store_lost, "mx1"}, {EventKind::store_back, "mx1"}};
  store.away = true;
  watch.look();
  CHECK(sink.told.empty());
  SUBCASE("and still is") {
    sink.unwanted = {};
    watch.look();
    watch.look();
    CHECK(sink.lines() == "store_lost: the store  is ; limits are enforced on this node alone until it is back\n");
  }
  SUBCASE("and is back before: nobody needs to know") {
    store.away = false;
    watch.look();
    sink.unwanted = {};
    watch.look();
    CHECK(sink.told.empty());
  }
}

TEST_CASE("state watch: a list that is suspended while that is not wanted is told of as soon as it is") {
  test::FakeStore store;
  test::FakeClock clock;
  test::FakeResolver resolver("1.0.0.127.bl.example A 127.0.0.2\n");
  Zones zones(resolver, clock);
  zones.reconfigure(*test::config_from(kLists));
  test::FakeSink sink;
  sink.unwanted = {{EventKind::list_suspended, "bl.example"}};
  StateWatch watch(store, zones, "mx1", sink);
  zones.tick();
  watch.look();
  CHECK(sink.told.empty());
  sink.unwanted = {};
  for (int look = 0; look < 60; ++look) watch.look();
  CHECK(sink.lines() == "list_suspended: the DNS list bl.example is suspended: lists 127.0.0.1, which no list may: it "
                        "would list everybody\n");
  for (int look = 0; look < 60; ++look) watch.look();
  CHECK(sink.told.empty());
}
