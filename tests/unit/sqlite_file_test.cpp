// The state file: what is put is there again, as it was put, and what makes no sense is left out.
#include <doctest/doctest.h>

#include <algorithm>
#include <fstream>

#include "policyd/store/cell_codec.h"
#include "shared/report_period.h"
#include "tests/support/state_files.h"
#include "tests/support/temporary_directory.h"

namespace policyd {
namespace {

using test::block_of;
using test::kNow;
using test::load;
using test::open_or_fail;
using test::run_sql;
using test::TemporaryDirectory;

TEST_CASE("sqlite_file: blocks, settings and counters outlive the process") {
  const TemporaryDirectory directory;
  const std::string path = directory.file("state.db");
  const Block block{{BlockType::domain, "example.com"},
                    BlockDirection::out,
                    "it's \"odd\"; -- \xc3\xa4",
                    "450 4.7.1 Later",
                    "ann",
                    "2026-11-21T10:00:00Z",
                    kNow + Milliseconds{1}};
  const Counters::Cells cells{1, 60'000, 2, 100, 3, 101, 1};
  {
    const auto file = open_or_fail(path);
    CHECK(file->put_block(block).ok());
    CHECK(file->put_block(block_of("joe@example.com")).ok());
    CHECK(file->put_setting("joe", "messages", "60/1m").ok());
    CHECK(file->put_setting("joe", "on_limit", "hold").ok());
    CHECK(file->put_setting("ann", "bytes", "none").ok());
    CHECK(file->write_counters({{"joe", cells}, {"ann", cells}}).ok());
  }
  const auto contents = load(path);
  CHECK(contents.warnings.empty());
  REQUIRE(contents.blocks.size() == 2);
  const Block& read = contents.blocks[0].target == block.target ? contents.blocks[0] : contents.blocks[1];
  CHECK(read.target == block.target);
  CHECK(read.fields() == block.fields());
  CHECK(read.expires == block.expires);
  REQUIRE(contents.settings.size() == 2);
  CHECK(contents.settings[0].first == "ann");
  CHECK(contents.settings[1].second.to_map() ==
        std::map<std::string, std::string>{{"messages", "60/1m"}, {"on_limit", "hold"}});
  REQUIRE(contents.counters.size() == 2);
  CHECK(contents.counters[0].second.cells() == cells);
}

GreylistRecord greylist_record(std::string key, GreylistRecord::Kind kind, Milliseconds lives) {
  GreylistRecord record;
  record.key = std::move(key);
  record.kind = kind;
  record.at = kNow - Milliseconds{1'000};
  record.until = kNow + lives;
  record.message = 0xfedcba9876543210;
  record.count = 3;
  return record;
}

TEST_CASE("sqlite_file: greylist records outlive the process, until they run out, in the order of their times") {
  using Kind = GreylistRecord::Kind;
  const TemporaryDirectory directory;
  const std::string path = directory.file("state.db");
  auto waiting = greylist_record("192.0.2.0/24 ann@example.org>bob@example.com", Kind::waiting, Milliseconds{10});
  auto client = greylist_record("192.0.2.0/24", Kind::client, Milliseconds{20});
  client.at -= Milliseconds{1};
  {
    const auto file = open_or_fail(path);
    CHECK(file->write_greylist({waiting, client}).ok());
    waiting.kind = Kind::passed;
    CHECK(file->write_greylist({waiting}).ok());
  }
  CHECK(load(path).greylist == std::vector<GreylistRecord>{client, waiting});
  CHECK(load(path, kNow + Milliseconds{10}).greylist.size() == 2);
  CHECK(load(path, kNow + Milliseconds{11}).greylist == std::vector<GreylistRecord>{client});
  CHECK(open_or_fail(path)->sweep(kNow + Milliseconds{11}).ok());
  CHECK(load(path).greylist == std::vector<GreylistRecord>{client});
}

TEST_CASE("sqlite_file: greylist records of an unknown kind are left out, and said once") {
  const TemporaryDirectory directory;
  const std::string path = directory.file("state.db");
  const auto record = [](const char* key) {
    return greylist_record(key, GreylistRecord::Kind::client, Milliseconds{10});
  };
  CHECK(open_or_fail(path)->write_greylist({record("a"), record("b")}).ok());
  run_sql(path, "UPDATE greylist SET kind = 'odd'");
  const auto contents = load(path);
  CHECK(contents.greylist.empty());
  CHECK(contents.warnings == std::vector<std::string>{path + ": greylist: 2 records of an unknown kind; left out"});
}

TEST_CASE("sqlite_file: rows of reports outlive the process, for 31 days") {
  const TemporaryDirectory directory;
  const std::string path = directory.file("state.db");
  const WallTime hour = hour_of(kNow);
  const ReportRow row{ReportKind::checks, hour, "spf", {3, 0, 1}};
  const ReportRow old{ReportKind::clients, hour - kReportKept, "a\xff", {1}};
  const ReportRow older{ReportKind::clients, hour - kReportKept - std::chrono::hours(1), "b", {1}};
  {
    const auto file = open_or_fail(path);
    CHECK(file->write_reports({row, old, older}).ok());
    CHECK(file->write_reports({{ReportKind::checks, hour, "spf", {4, 0, 1}}}).ok());
  }
  const std::vector<ReportRow> wanted{old, {ReportKind::checks, hour, "spf", {4, 0, 1}}};
  CHECK(load(path).reports == wanted);
  const WallTime before = kNow - std::chrono::hours(1);
  CHECK(load(path, before).reports.size() == 3);
  CHECK(open_or_fail(path)->sweep(kNow).ok());
  CHECK(load(path, before).reports.size() == 2);
  run_sql(path, "UPDATE reports SET kind = 'later' WHERE name = 'spf'");
  const auto contents = load(path);
  CHECK(contents.reports == std::vector{old});
  CHECK(contents.warnings == std::vector<std::string>{path + ": reports: 1 rows of an unknown kind; left out"});
}

TEST_CASE("sqlite_file: what is put again is replaced, what is removed is gone") {
  const TemporaryDirectory directory;
  const std::string path = directory.file("state.db");
  {
    const auto file = open_or_fail(path);
    Block block = block_of("joe@example.com");
    block.description = "first";
    CHECK(file->put_block(block).ok());
    block.description = "second";
    CHECK(file->put_block(block).ok());
    CHECK(file->put_block(block_of("ann@example.com")).ok());
    CHECK(file->remove_block({BlockType::email, "ann@example.com"}).ok());
    CHECK(file->remove_block({BlockType::email, "nobody@example.com"}).ok());
    CHECK(file->put_setting("joe", "messages", "1/1m").ok());
    CHECK(file->put_setting("joe", "bytes", "1MB/1d").ok());
    CHECK(file->remove_setting("joe", "messages").ok());
    CHECK(file->write_counters({{"joe", {1, 60'000, 1, 100, 3}}}).ok());
    CHECK(file->write_counters({{"joe", {}}, {"ann", {}}}).ok());
  }
  const auto contents = load(path);
  REQUIRE(contents.blocks.size() == 1);
  CHECK(contents.blocks[0].description == "second");
  REQUIRE(contents.settings.size() == 1);
  CHECK(contents.settings[0].second.to_map() == std::map<std::string, std::string>{{"bytes", "1MB/1d"}});
  CHECK(contents.counters.empty());
}

TEST_CASE("sqlite_file: names are kept octet by octet") {
  const TemporaryDirectory directory;
  const std::string path = directory.file("state.db");
  const std::vector<std::string> names{"",         "a{b}c",    "a:b c=d",                "j\xc3\xb6rg",
                                       "a\nb",     "\xff\xfe", std::string("a\0b", 3), "'; DROP TABLE counters; --"};
  StateFile::CounterBatch batch;
  for (const std::string& name : names) batch.emplace_back(name, Counters::Cells{1, 60'000, 1, 100, 3});
  CHECK(open_or_fail(path)->write_counters(batch).ok());
  std::vector<std::string> read;
  for (const auto& [name, counters] : load(path).counters) read.push_back(name);
  CHECK(read.size() == names.size());
  for (const std::string& name : names) CHECK(std::find(read.begin(), read.end(), name) != read.end());
}

TEST_CASE("sqlite_file: blocks that have run out are not read, and swept") {
  const TemporaryDirectory directory;
  const std::string path = directory.file("state.db");
  {
    const auto file = open_or_fail(path);
    Block block = block_of("joe@example.com");
    block.expires = kNow + Milliseconds{1'000};
    CHECK(file->put_block(block).ok());
    CHECK(file->put_block(block_of("ann@example.com")).ok());
    CHECK(file->sweep(kNow).ok());
  }
  CHECK(load(path, kNow).blocks.size() == 2);
  CHECK(load(path, kNow + Milliseconds{1'000}).blocks.size() == 1);
  CHECK(open_or_fail(path)->sweep(kNow + Milliseconds{1'000}).ok());
  CHECK(load(path, kNow).blocks.size() == 1);
}

TEST_CASE("sqlite_file: a row that makes no sense is told and left out") {
  const TemporaryDirectory directory;
  const std::string path = directory.file("state.db");
  CHECK(open_or_fail(path)->put_block(block_of("joe@example.com")).ok());
  run_sql(path,
          "UPDATE blocks SET direction = 'sideways';"
          "INSERT INTO blocks VALUES('planet', 'mars', 'both', '', '', '', '', NULL);"
          "INSERT INTO settings VALUES('joe', 'messages', 'many');"
          "INSERT INTO settings VALUES('joe', 'on_limit', 'hold');"
          "INSERT INTO counters VALUES('joe', x'ff00'), ('ann', x'01'), ('b', x'010203');");
  const auto contents = load(path);
  REQUIRE(contents.warnings.size() == 5);
  CHECK(contents.warnings[0].starts_with(path + ": block email \"joe@example.com\": "));
  CHECK(contents.warnings[1] == path + ": block planet \"mars\": unknown type; left out");
  CHECK(contents.warnings[2] == path +
                                    ": settings of \"joe\": messages: \"many\" is not a limit: the window is missing; "
                                    "expected N/WINDOW, e.g. 60/1m; left out");
  CHECK(contents.warnings[3] == path + ": counters of \"b\": damaged; left out");
  CHECK(contents.warnings[4] == path + ": counters of \"joe\": damaged; left out");
  REQUIRE(contents.blocks.size() == 1);
  CHECK(contents.blocks[0].direction == BlockDirection::both);  // a slip of the pen lifts no block
  CHECK(contents.settings[0].second.on_limit == OnLimit::hold);
  CHECK(contents.counters.size() == 1);
}

}  // namespace
}  // namespace policyd
