// The log: what is written, where it goes after a rotation, and that nobody has to read it.
#include "shared/log.h"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <spdlog/spdlog.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <regex>
#include <sstream>

#include "tests/support/small_files.h"
#include "tests/support/temporary_directory.h"

using namespace policyd;
using test::SmallFiles;
using test::TemporaryDirectory;

namespace {

std::string contents(const std::string& path) {
  std::ifstream file(path);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

// Opens a log that writes to `path`, and gives spdlog its own back afterwards.
struct OpenLog {
  OpenLog(const std::string& path, const std::string& level = "info") {
    auto opened = Log::open(path, level);
    REQUIRE(opened);
    log = std::move(*opened);
  }
  std::unique_ptr<Log> log;
};

}  // namespace

TEST_CASE("log: a line has the time, its level and its text, and all are written by the end") {
  const TemporaryDirectory directory;
  {
    const OpenLog open(directory.file("log"));
    spdlog::info("one {}", 1);
    spdlog::debug("not this one");
    spdlog::error("two");
  }
  const std::string time = R"(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3} )";
  const std::regex lines(time + R"(info: one 1\n)" + time + R"(error: two\n)");
  CHECK_MESSAGE(std::regex_match(contents(directory.file("log")), lines), contents(directory.file("log")));
}

TEST_CASE("log: after a rotation lines go to the new file") {
  const TemporaryDirectory directory;
  {
    const OpenLog open(directory.file("log"));
    spdlog::info("before");
    std::filesystem::rename(directory.file("log"), directory.file("log.1"));
    open.log->reopen();
    spdlog::info("after");
  }
  CHECK(contents(directory.file("log")).ends_with(" info: after\n"));
  const std::string both = contents(directory.file("log.1")) + contents(directory.file("log"));
  CHECK(both.find("before\n") != std::string::npos);
}

TEST_CASE("log: a file that cannot be opened again is told, and the old one stays in use") {
  const TemporaryDirectory directory;
  const std::string path = directory.file("sub/log");
  std::filesystem::create_directory(directory.file("sub"));
  {
    const OpenLog open(path);
    std::filesystem::rename(directory.file("sub"), directory.file("away"));
    open.log->reopen();
    spdlog::info("still here");
  }
  const std::string text = contents(directory.file("away/log"));
  CHECK(text.find("log.target: " + path +
                  ": cannot be opened again: No such file or directory; the old file stays in use") !=
        std::string::npos);
  CHECK(text.find("still here\n") != std::string::npos);
}

TEST_CASE("log: a reader who has stopped to read holds up neither a line, nor a rotation, nor the end") {
  const TemporaryDirectory directory;
  const std::string path = directory.file("pipe");
  REQUIRE(mkfifo(path.c_str(), 0600) == 0);
  const int reader = open(path.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC);
  REQUIRE(reader >= 0);
  uint64_t lost = 0;
  {
    const OpenLog open(path);
    const std::string much(1000, 'x');
    for (int i = 0; i < 20'000; ++i) spdlog::info(much);
    open.log->reopen();
    lost = open.log->lost();
  }
  CHECK(lost > 0);  // more than is kept in memory
  close(reader);
}

TEST_CASE("log: after a flush all that was logged stands in the file") {
  const TemporaryDirectory directory;
  const OpenLog open(directory.file("log"));
  for (int i = 0; i < 3; ++i) {
    spdlog::info("number {}", i);
    spdlog::default_logger()->flush();
    CHECK(contents(directory.file("log")).ends_with(" info: number " + std::to_string(i) + "\n"));
  }
  spdlog::default_logger()->flush();  // with nothing to write
}

TEST_CASE("log: one event is one line") {
  const TemporaryDirectory directory;
  {
    const OpenLog open(directory.file("log"));
    spdlog::info("first\n\nsecond");
  }
  CHECK(contents(directory.file("log")).ends_with(" info: first  second\n"));
}

TEST_CASE("log: what was lost is told, on a line of its own, once there is room again") {
  const TemporaryDirectory directory;
  const std::string path = directory.file("log");
  {
    const OpenLog open(path);
    const SmallFiles full(200);
    for (int i = 0; i < 9; ++i) spdlog::info("a line that is too much for the file: {}", i);
    spdlog::default_logger()->flush();  // the writer has met the end
    CHECK(open.log->lost() > 0);
  }
  const std::string text = contents(path);
  const std::regex told(R"(\n[-0-9]+ [0-9:.]+ warning: \d+ log lines were lost: File too large\n$)");
  CHECK_MESSAGE(std::regex_search(text, told), text);
}

TEST_CASE("log: a directory that is not there is an error that says what to do") {
  const auto opened = Log::open("/nonexistent/policyd.log", "info");
  REQUIRE_FALSE(opened);
  CHECK(opened.error().message ==
        "log.target: /nonexistent/policyd.log: cannot be opened: No such file or directory; make its directory "
        "writable for the user that policyd runs as");
}
