// The greylist's table in the state file: it holds no more records of a kind than memory does.
#include <doctest/doctest.h>

#include "policyd/store/sqlite_greylist.h"
#include "tests/support/state_files.h"
#include "tests/support/temporary_directory.h"

namespace policyd {
namespace {

using Kind = GreylistRecord::Kind;
using test::kNow;

struct Fixture {
  test::TemporaryDirectory directory;
  Sqlite database{directory.file("state.db"), 0};

  Fixture() { CHECK(database.run(kCreateGreylist)); }

  void write(Kind kind, int count) {
    std::vector<GreylistRecord> records;
    for (int i = 0; i < count; ++i) {
      GreylistRecord record;
      record.key = std::to_string(static_cast<int>(kind)) + "-" + std::to_string(i);
      record.kind = kind;
      record.at = kNow + Milliseconds{i};
      record.until = kNow + Milliseconds{1'000 + i};
      records.push_back(record);
    }
    write_greylist(database, records);
  }
  std::vector<std::string> load(const GreylistTable::Bounds& most) {
    size_t odd = 0;
    std::vector<std::string> keys;
    for (const GreylistRecord& record : load_greylist(database, kNow, most, odd)) keys.push_back(record.key);
    CHECK(odd == 0);
    CHECK_FALSE(database.failed());
    return keys;
  }
};

constexpr GreylistTable::Bounds kAll{100, 100, 100};

TEST_CASE("sqlite_greylist: of each kind the newest are loaded, the oldest of them first") {
  Fixture f;
  f.write(Kind::waiting, 4);
  f.write(Kind::passed, 2);
  CHECK(f.load({2, 2, 2}) == std::vector<std::string>{"1-0", "1-1", "0-2", "0-3"});
  CHECK(f.load(kAll).size() == 6);
}

TEST_CASE("sqlite_greylist: what is over the bound of a kind is swept out, the oldest first") {
  Fixture f;
  f.write(Kind::waiting, 4);
  f.write(Kind::client, 2);
  sweep_greylist(f.database, kNow, {4, 0, 2});
  CHECK(f.load(kAll).size() == 6);
  sweep_greylist(f.database, kNow, {3, 0, 1});
  CHECK(f.load(kAll) == std::vector<std::string>{"0-1", "2-1", "0-2", "0-3"});
  sweep_greylist(f.database, kNow + Milliseconds{1'002}, kAll);
  CHECK(f.load(kAll) == std::vector<std::string>{"0-2", "0-3"});
}

}  // namespace
}  // namespace policyd
