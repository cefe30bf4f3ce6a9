// The writer between the loop and the state file: the order, what cannot be written, and those who do not wait.
#include "policyd/store/state_writer.h"

#include <doctest/doctest.h>
#include <spdlog/sinks/ostream_sink.h>
#include <spdlog/spdlog.h>

#include <atomic>
#include <map>
#include <sstream>

#include "tests/support/fake_clock.h"
#include "tests/support/run_task.h"

namespace policyd {
namespace {

using test::FakeClock;
using test::TestLoop;

// Remembers what was written; refuses while `full`.
class FakeFile final : public StateFile {
 public:
  Result<Contents> load(WallTime) override { return Contents{}; }
  Result<void> put_block(const Block& block) override { return note("put " + block.target.target); }
  Result<void> remove_block(const BlockTarget& target) override { return note("remove " + target.target); }
  Result<void> put_setting(const std::string&, const std::string&, const std::string&) override { return note("set"); }
  Result<void> remove_setting(const std::string&, const std::string&) override { return note("unset"); }
  Result<void> put_locks(const std::string& account, const LockRecord&) override { return note("locks " + account); }
  Result<void> write_counters(const CounterBatch& batch) override {
    if (full) return Error{"state.db: cannot be written: database or disk is full"};
    for (const auto& [account, cells] : batch) counters[account] = cells;
    return note("counters");
  }
  Result<void> write_elements(const ElementBatch& batch) override {
    if (full) return Error{"state.db: cannot be written: database or disk is full"};
    for (const auto& [account, octets] : batch) elements[account] = octets;
    return note("elements");
  }
  Result<void> write_greylist(const GreylistBatch& batch) override {
    if (full) return Error{"state.db: cannot be written: database or disk is full"};
    for (const GreylistRecord& record : batch) greylist[record.key] = record;
    return note("greylist");
  }
  Result<void> add_journal(const JournalBatch&, WallTime) override { return {}; }
  Result<JournalPage> journal(const JournalRange&) override { return JournalPage(); }
  Result<void> write_reports(const std::vector<ReportRow>& batch) override {
    if (full) return Error{"state.db: cannot be written: database or disk is full"};
    for (const ReportRow& row : batch) reports[row.name] = row;
    return note("reports");
  }
  Result<void> sweep(WallTime) override { return note("sweep"); }

  Result<void> note(const std::string& line) {
    if (full) return Error{"state.db: cannot be written: database or disk is full"};
    lines.push_back(line);
    return {};
  }

  std::atomic<bool> full = false;
  std::vector<std::string> lines;  // to be read when nothing is under way
  std::map<std::string, Counters::Cells> counters;
  std::map<std::string, std::string> elements;
  std::map<std::string, GreylistRecord> greylist;
  std::map<std::string, ReportRow> reports;
};

// Takes what the default logger says while it lives.
class CapturedLog {
 public:
  CapturedLog() : before_(spdlog::default_logger()) {
    auto logger = std::make_shared<spdlog::logger>("test", std::make_shared<spdlog::sinks::ostream_sink_mt>(out_));
    logger->set_pattern("%l: %v");
    spdlog::set_default_logger(logger);
  }
  ~CapturedLog() { spdlog::set_default_logger(before_); }
  CapturedLog(const CapturedLog&) = delete;
  CapturedLog& operator=(const CapturedLog&) = delete;
  [[nodiscard]] std::string text() const { return out_.str(); }

 private:
  std::ostringstream out_;
  std::shared_ptr<spdlog::logger> before_;
};

struct Fixture {
  CapturedLog log;
  TestLoop loop;
  FakeClock clock;
  Ledger ledger;
  GreylistTable greylist;
  ReportTable reports{{}};
  Limits limits{{Meter::messages, 100, Milliseconds{3'600'000}}};
  std::shared_ptr<FakeFile> file = std::make_shared<FakeFile>();
  std::unique_ptr<StateWriter> writer = std::make_unique<StateWriter>(
      loop, clock, file, StateWriter::Tables{ledger, greylist, reports});

  Fixture() {
    ledger.track_changes();
    greylist.track_changes();
    reports.track_changes();
  }
  void charge(const std::string& account) {
    Charge charge;
    charge.account = account;
    ledger.charge(charge, limits, clock.wall());
  }
  Task<Result<bool>> put(const std::string& line, bool* effect = nullptr) {
    StateWriter::Work work = [line](StateFile& state) { return static_cast<FakeFile&>(state).note(line); };
    StateWriter::Effect then = [effect] { return effect ? (*effect = true) : true; };
    return writer->write(std::move(work), std::move(then));
  }
};

TEST_CASE("state_writer: writes come in the order asked for, before the counters") {
  Fixture f;
  f.charge("joe");
  Task<Result<bool>> first = f.put("first"), second = f.put("second"), third = f.put("third");
  first.start();
  f.writer->flush();
  second.start();
  third.start();
  CHECK(f.loop.run(f.writer->finish()).ok());
  CHECK(f.file->lines == std::vector<std::string>{"first", "second", "third", "counters", "sweep"});
  CHECK(first.done());
  CHECK(third.done());
}

TEST_CASE("state_writer: what cannot be written has no effect, and says why") {
  Fixture f;
  f.file->full = true;
  bool effect = false;
  const auto result = f.loop.run(f.put("block", &effect));
  REQUIRE_FALSE(result.ok());
  CHECK(result.error().message == "state.db: cannot be written: database or disk is full");
  CHECK_FALSE(effect);
}

TEST_CASE("state_writer: what was written takes effect even if nobody waits any more") {
  Fixture f;
  bool effect = false;
  {
    Task<Result<bool>> dropped = f.put("block", &effect);
    dropped.start();
  }
  CHECK(f.loop.run(f.writer->finish()).ok());
  CHECK(effect);
}

TEST_CASE("state_writer: counters that cannot be written are kept and tried again; the log tells both once") {
  Fixture f;
  f.file->full = true;
  f.charge("joe");
  for (int period = 0; period < 3; ++period) {
    f.charge("ann" + std::to_string(period));
    CHECK_FALSE(f.loop.run(f.writer->finish()).ok());
  }
  CHECK(f.writer->trouble() == "state.db: cannot be written: database or disk is full");
  CHECK(f.file->counters.empty());
  f.file->full = false;
  CHECK(f.loop.run(f.writer->finish()).ok());
  CHECK(f.writer->trouble().empty());
  CHECK(f.file->counters.size() == 4);
  CHECK(f.log.text() ==
        "error: store: state.db: cannot be written: database or disk is full; counters, locks, greylist and reports go "
        "on in memory, and writing is tried again\n"
        "info: store: the state file can be written again\n");
}

TEST_CASE("state_writer: a newer state of an account goes over an older one that could not be written") {
  Fixture f;
  f.file->full = true;
  f.charge("joe");
  CHECK_FALSE(f.loop.run(f.writer->finish()).ok());
  f.charge("joe");
  f.file->full = false;
  CHECK(f.loop.run(f.writer->finish()).ok());
  const auto counters = Counters::from_cells(f.file->counters["joe"]);
  REQUIRE(counters.has_value());
  CHECK(counters->usage(f.clock.wall()).at(0).used == 2);
}

TEST_CASE("state_writer: many accounts are written in several batches") {
  Fixture f;
  for (size_t i = 0; i < 2 * StateWriter::kBatch + 1; ++i) f.charge(std::to_string(i));
  CHECK(f.loop.run(f.writer->finish()).ok());
  CHECK(f.file->counters.size() == 2 * StateWriter::kBatch + 1);
  CHECK(f.file->lines == std::vector<std::string>{"counters", "counters", "counters", "sweep"});
}

TEST_CASE("state_writer: greylist records are written with the counters, and are kept where they cannot be") {
  Fixture f;
  const auto attempt_of = [&f](const std::string& sender) {
    GreylistAttempt attempt;
    attempt.client = "192.0.2.0/24";
    attempt.sender = sender;
    attempt.recipient = "bob@example.com";
    attempt.block = Milliseconds{240'000};
    attempt.pass = attempt.record = Milliseconds{3'600'000};
    f.greylist.attempt(attempt, f.clock.wall());
  };
  attempt_of("ann@example.org");
  f.file->full = true;
  CHECK_FALSE(f.loop.run(f.writer->finish()).ok());
  f.file->full = false;
  f.charge("joe");
  attempt_of("eve@example.org");
  CHECK(f.loop.run(f.writer->finish()).ok());
  CHECK(f.file->lines == std::vector<std::string>{"greylist", "counters", "greylist", "sweep"});
  CHECK(f.file->greylist.size() == 2);
  CHECK(f.file->greylist.at("192.0.2.0/24 ann@example.org>bob@example.com").kind == GreylistRecord::Kind::waiting);
}

TEST_CASE("state_writer: rows of reports are written with the counters, as they are by then") {
  Fixture f;
  const ReportRow row{ReportKind::clients, hour_of(f.clock.wall()), "a", {1, 2}};
  f.reports.add(row);
  f.file->full = true;
  CHECK_FALSE(f.loop.run(f.writer->finish()).ok());
  f.reports.add(row);
  f.file->full = false;
  f.charge("joe");
  CHECK(f.loop.run(f.writer->finish()).ok());
  CHECK(f.file->lines == std::vector<std::string>{"reports", "counters", "reports", "sweep"});
  CHECK(f.file->reports.at("a").figures == Figures{2, 4});
}

TEST_CASE("state_writer: a flush asked for while one is under way is done too") {
  Fixture f;
  f.charge("joe");
  f.writer->flush();
  f.charge("ann");
  CHECK(f.loop.run(f.writer->finish()).ok());
  CHECK(f.file->counters.size() == 2);
}

TEST_CASE("state_writer: destroyed with a job under way it leaves the job its file") {
  Fixture f;
  Task<Result<bool>> put = f.put("block");
  put.start();
  f.writer.reset();
  const std::weak_ptr<FakeFile> file = std::exchange(f.file, nullptr);
  f.loop.turn_until([&file] { return file.expired(); });
  CHECK_FALSE(put.done());
}

}  // namespace
}  // namespace policyd
