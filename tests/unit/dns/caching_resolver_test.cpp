// The cache and the joining of queries, over an upstream whose answers the test gives by hand, and on a fake clock.
#include "policyd/dns/caching_resolver.h"

#include <doctest/doctest.h>

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "policyd/async/task.h"
#include "tests/support/fake_clock.h"

namespace policyd {
namespace {

using std::chrono::seconds;

class FakeUpstream final : public DnsUpstream {
 public:
  void ask(const DnsName& name, DnsType, Done done) override {
    names.emplace_back(name.view());
    waiting.push_back(std::move(done));
  }
  void answer(DnsStatus status, std::optional<seconds> ttl = std::nullopt) {
    DnsReply reply;
    reply.answer.status = status;
    if (status == DnsStatus::found) reply.answer.texts.emplace_back("text");
    reply.ttl = ttl;
    const Done done = std::exchange(waiting.front(), nullptr);
    waiting.erase(waiting.begin());
    done(reply);
  }
  std::vector<std::string> names;
  std::vector<Done> waiting;
};

Task<DnsAnswerPtr> look_up(Resolver& resolver, std::string name, DnsType type = DnsType::txt) {
  DnsLookup lookup = resolver.query(name, type);
  co_return co_await lookup;
}

struct Rig {
  test::FakeClock clock;
  FakeUpstream upstream;
  CachingResolver resolver{upstream, clock, 100};

  // How long an answer is kept, in steps of a second.
  int64_t kept(DnsStatus status, std::optional<seconds> ttl, seconds at_most) {
    const Task<DnsAnswerPtr> first = look_up(resolver, "a.example");
    first.start();
    upstream.answer(status, ttl);
    REQUIRE(first.done());
    CHECK(first.result()->status == status);
    const auto hit = [&] { return resolver.query("a.example", DnsType::txt).await_ready(); };
    if (!hit()) return 0;
    clock.advance(at_most - seconds{1});
    const bool still_there = hit();
    clock.advance(seconds{1});
    const bool gone = !hit();
    return still_there && gone ? at_most.count() : -1;
  }
};

TEST_CASE("caching_resolver: how long answers are kept") {
  struct Case {
    DnsStatus status;
    std::optional<seconds> ttl;
    int64_t want;
  };
  const Case cases[] = {
      {DnsStatus::found, seconds{300}, 300},
      {DnsStatus::found, seconds{1}, 1},
      {DnsStatus::found, seconds{0}, 0},
      {DnsStatus::found, seconds{1'000'000}, 86'400},
      {DnsStatus::no_domain, seconds{60}, 60},
      {DnsStatus::no_data, seconds{0}, 0},
      {DnsStatus::no_data, seconds{86'400}, 3600},
      {DnsStatus::no_domain, std::nullopt, 30},
      {DnsStatus::server_failure, std::nullopt, 5},
      {DnsStatus::timed_out, std::nullopt, 5},
      {DnsStatus::malformed, std::nullopt, 5},
  };
  for (const Case& c : cases) {
    CAPTURE(static_cast<int>(c.status));
    CAPTURE(c.want);
    Rig rig;
    CHECK(rig.kept(c.status, c.ttl, seconds{std::max<int64_t>(c.want, 1)}) == c.want);
  }
}

TEST_CASE("caching_resolver: who asks the same at a time shares a query") {
  Rig rig;
  const Task<DnsAnswerPtr> one = look_up(rig.resolver, "Example.com"), two = look_up(rig.resolver, "example.COM."),
                           other_type = look_up(rig.resolver, "example.com", DnsType::ptr);
  for (const auto* task : {&one, &two, &other_type}) task->start();
  CHECK(rig.upstream.names == std::vector<std::string>{"example.com", "example.com"});
  rig.upstream.answer(DnsStatus::found, seconds{0});
  REQUIRE(one.done());
  REQUIRE(two.done());
  CHECK(!other_type.done());
  CHECK(one.result() == two.result());
  rig.upstream.answer(DnsStatus::no_data);
  REQUIRE(other_type.done());
  const DnsStatistics counted = rig.resolver.statistics();
  CHECK(counted.queries == 2);
  CHECK(counted.joins == 1);
  CHECK(counted.hits == 0);
  CHECK(counted.in_flight == 0);
  CHECK(counted.cached == 1);
}

TEST_CASE("caching_resolver: who has to wait is told how long the answer took from when it was first asked for") {
  Rig rig;
  DnsLookup first = rig.resolver.query("example.com", DnsType::a);
  rig.clock.advance(Milliseconds{30});
  DnsLookup second = rig.resolver.query("example.com", DnsType::a);
  CHECK_FALSE(first.took().has_value());
  rig.clock.advance(Milliseconds{10});
  rig.upstream.answer(DnsStatus::found, seconds{60});
  CHECK(first.took() == Milliseconds{40});
  CHECK(second.took() == Milliseconds{40});
  CHECK_FALSE(rig.resolver.query("example.com", DnsType::a).took().has_value());
}

TEST_CASE("caching_resolver: one who goes on may ask again and drop others that wait") {
  Rig rig;
  std::optional<Task<DnsAnswerPtr>> dropped;
  const auto first = [](Resolver& resolver, std::optional<Task<DnsAnswerPtr>>& other) -> Task<DnsAnswerPtr> {
    DnsLookup lookup = resolver.query("a.example", DnsType::txt);
    co_await lookup;
    other.reset();
    DnsLookup again = resolver.query("a.example", DnsType::txt);
    co_return co_await again;
  };
  dropped.emplace(look_up(rig.resolver, "a.example"));
  const Task<DnsAnswerPtr> task = first(rig.resolver, dropped);
  dropped->start();
  task.start();
  rig.upstream.answer(DnsStatus::found, seconds{0});
  CHECK(!dropped);
  REQUIRE(rig.upstream.waiting.size() == 1);
  rig.upstream.answer(DnsStatus::no_domain);
  REQUIRE(task.done());
  CHECK(task.result()->status == DnsStatus::no_domain);
}

TEST_CASE("caching_resolver: a query goes on when all who asked have left") {
  Rig rig;
  std::optional<Task<DnsAnswerPtr>> task(look_up(rig.resolver, "a.example"));
  task->start();
  task.reset();
  rig.upstream.answer(DnsStatus::found, seconds{60});
  CHECK(rig.resolver.query("a.example", DnsType::txt).await_ready());
  CHECK(rig.resolver.statistics().hits == 1);
}

TEST_CASE("caching_resolver: too many at a time are refused, and counted") {
  Rig rig;
  for (size_t i = 0; i < CachingResolver::kMostInFlight; ++i) {
    CHECK(!rig.resolver.query(std::to_string(i), DnsType::a).await_ready());
  }
  DnsLookup refused = rig.resolver.query("one.more", DnsType::a);
  REQUIRE(refused.await_ready());
  CHECK(refused.await_resume()->status == DnsStatus::overloaded);
  CHECK(!rig.resolver.query("7", DnsType::a).await_ready());  // joins
  CHECK(rig.resolver.statistics().refused == 1);
  rig.upstream.answer(DnsStatus::no_domain);
  CHECK(!rig.resolver.query("one.more", DnsType::a).await_ready());
}

TEST_CASE("caching_resolver: failures are counted; a name that cannot be asked for is told at once") {
  Rig rig;
  for (const auto status : {DnsStatus::timed_out, DnsStatus::server_failure, DnsStatus::malformed}) {
    CHECK(!rig.resolver.query("x" + std::to_string(static_cast<int>(status)), DnsType::a).await_ready());
    rig.upstream.answer(status);
  }
  CHECK(rig.resolver.statistics().timed_out == 1);
  CHECK(rig.resolver.statistics().failures == 2);
  for (const char* name : {"", "two..dots", "\xff.example", "\xcc\x81.example"}) {
    CAPTURE(name);
    DnsLookup lookup = rig.resolver.query(name, DnsType::a);
    REQUIRE(lookup.await_ready());
    const DnsAnswerPtr answer = lookup.await_resume();
    CHECK(answer->status == DnsStatus::bad_name);
    CHECK(answer->empty());
    DnsLookup afresh = rig.resolver.query_afresh(name, DnsType::txt);
    REQUIRE(afresh.await_ready());
    CHECK(afresh.await_resume()->status == DnsStatus::bad_name);
  }
  CHECK(rig.resolver.statistics().failures == 2);
  CHECK(rig.upstream.names.size() == 3);
}

TEST_CASE("caching_resolver: resized, it begins empty") {
  Rig rig;
  CHECK(!rig.resolver.query("a.example", DnsType::a).await_ready());
  rig.upstream.answer(DnsStatus::found, seconds{60});
  CHECK(rig.resolver.statistics().cached == 1);
  rig.resolver.resize(10);
  CHECK(rig.resolver.statistics().cached == 0);
  CHECK(rig.resolver.statistics().cached_octets == 0);
}

}  // namespace
}  // namespace policyd
