// The reporter: what is handed over, what waits, and what is told.
#include "policyd/report/reporter.h"

#include <doctest/doctest.h>

#include "tests/support/captured_log.h"
#include "tests/support/fake_clock.h"
#include "tests/support/fake_store.h"
#include "tests/support/run_task.h"
#include "tests/support/test_config.h"

namespace policyd {
namespace {

using std::chrono::hours;

struct Rig {
  test::TestLoop loop;
  test::FakeClock clock;
  test::FakeStore store;
  Tally tally;
  std::shared_ptr<const Config> config = test::config_from("");
  test::CapturedLog log;
  std::unique_ptr<Reporter> reporter = std::make_unique<Reporter>(loop, clock, tally, store);

  // A first attempt of a client, now.
  void greylist(const std::string& client) {
    Verdict verdict;
    verdict.greylisting = Greylisting{{GreylistResult::Outcome::first, Milliseconds{1}, false, clock.wall()}, client};
    tally.count(verdict, *config, "bob@example.com");
  }
  void hand_over() { loop.run(reporter->hand_over()); }
  // The rows of clients that were handed over in a batch: "a 2".
  [[nodiscard]] std::vector<std::string> clients(size_t batch) const {
    std::vector<std::string> names;
    for (const ReportRow& row : store.reported.at(batch).rows) {
      if (row.kind == ReportKind::clients) names.push_back(row.name + " " + std::to_string(row.figures.at(1)));
    }
    return names;
  }
};

TEST_CASE("reporter: hands over what was counted, once, and nothing where nothing was") {
  Rig rig;
  rig.hand_over();
  CHECK(rig.store.reported.empty());
  rig.greylist("a");
  rig.greylist("a");
  rig.hand_over();
  rig.hand_over();
  REQUIRE(rig.store.reported.size() == 1);
  CHECK(rig.clients(0) == std::vector<std::string>{"a 2"});
}

TEST_CASE("reporter: what was not taken is handed over again unchanged, before what came later") {
  Rig rig;
  rig.store.report_trouble = "the store redis:// is away: no answer";
  rig.store.away = true;
  rig.greylist("a");
  rig.hand_over();
  rig.greylist("a");
  rig.hand_over();
  rig.store.report_trouble.clear();
  rig.hand_over();
  REQUIRE(rig.store.reported.size() == 4);
  for (const size_t batch : {0, 1, 2}) {
    CHECK(rig.store.reported[batch].id == rig.store.reported[0].id);
    CHECK(rig.clients(batch) == std::vector<std::string>{"a 1"});
  }
  CHECK(rig.store.reported[3].id != rig.store.reported[0].id);
  CHECK(rig.clients(3) == std::vector<std::string>{"a 1"});
  CHECK(rig.log.lines().empty());  // a store that is away tells that itself
}

TEST_CASE("reporter: a store that refuses is told once, and once that it does no more") {
  Rig rig;
  rig.store.report_trouble = "the store redis:// refuses: OOM";
  for (int i = 0; i < 3; ++i) {
    rig.greylist("a");
    rig.hand_over();
  }
  rig.store.report_trouble.clear();
  rig.hand_over();
  CHECK(rig.log.lines() ==
        std::vector<std::string>{
            "error: reports: the store does not take them, and they wait: the store redis:// refuses: OOM",
            "info: reports: the store takes them again"});
}

TEST_CASE("reporter: much is handed over in several batches, and what waits is bounded") {
  Rig rig;
  rig.store.report_trouble = "away";
  rig.store.away = true;
  for (size_t hour = 0; hour < Reporter::kHours + 10; ++hour) {
    for (int i = 0; i < 30; ++i) rig.greylist("client " + std::to_string(i));
    rig.hand_over();
    rig.clock.advance(hours(1));
  }
  rig.store.report_trouble.clear();
  rig.store.reported.clear();
  rig.hand_over();
  size_t rows = 0;
  for (const ReportBatch& batch : rig.store.reported) {
    CHECK(batch.rows.size() <= Reporter::kBatch);
    rows += batch.rows.size();
  }
  CHECK(rig.store.reported.size() > 2);
  CHECK(rows == Reporter::kHours * 31 + 31);  // and the batch that was tried first
}

TEST_CASE("reporter: while it hands over nobody else does") {
  Rig rig;
  rig.store.gate.close();
  rig.greylist("a");
  const Task<void> first = rig.reporter->hand_over();
  first.start();
  CHECK_FALSE(first.done());
  rig.greylist("b");
  rig.hand_over();
  rig.store.gate.open();
  CHECK(first.done());
  REQUIRE(rig.store.reported.size() == 2);
  CHECK(rig.clients(1) == std::vector<std::string>{"b 1"});
}

TEST_CASE("reporter: who hands over can be dropped, and nothing is lost") {
  Rig rig;
  rig.store.gate.close();
  rig.greylist("a");
  {
    const Task<void> dropped = rig.reporter->hand_over();
    dropped.start();
  }
  rig.store.gate.open();
  rig.hand_over();
  REQUIRE(rig.store.reported.size() == 1);
  CHECK(rig.clients(0) == std::vector<std::string>{"a 1"});
}

TEST_CASE("reporter: at the end all is handed over, or it is told what is lost") {
  Rig rig;
  rig.greylist("a");
  rig.loop.run(rig.reporter->stop());
  CHECK(rig.store.reported.size() == 1);
  CHECK(rig.log.lines().empty());
  rig.store.report_trouble = "the store redis:// is away: no answer; nothing was changed";
  rig.store.away = true;
  rig.greylist("a");
  rig.loop.run(rig.reporter->stop());
  CHECK(rig.log.lines() ==
        std::vector<std::string>{"error: reports: 2 rows of figures could not be handed to the store and are lost: the "
                                 "store redis:// is away: no answer; nothing was changed"});
}

}  // namespace
}  // namespace policyd
