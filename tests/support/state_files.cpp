#include "tests/support/state_files.h"

#include <doctest/doctest.h>
#include <sqlite3.h>

#include <utility>

namespace policyd::test {

std::unique_ptr<StateFile> open_or_fail(const std::string& path) {
  auto file = StateFile::open(path);
  if (!file) FAIL(file.error().message);
  return std::move(*file);
}

StateFile::Contents load(const std::string& path, WallTime now) {
  auto contents = open_or_fail(path)->load(now);
  if (!contents) FAIL(contents.error().message);
  return std::move(*contents);
}

std::string error_of_opening(const std::string& path) {
  const auto file = StateFile::open(path);
  return file ? "" : file.error().message;
}

void run_sql(const std::string& path, const std::string& sql) {
  sqlite3* connection = nullptr;
  REQUIRE(sqlite3_open(path.c_str(), &connection) == SQLITE_OK);
  const int code = sqlite3_exec(connection, sql.c_str(), nullptr, nullptr, nullptr);
  sqlite3_close(connection);
  REQUIRE(code == SQLITE_OK);
}

Block block_of(std::string target) {
  Block block;
  block.target = {BlockType::email, std::move(target)};
  return block;
}

}  // namespace policyd::test
