// Lines of the log, whoever writes it.
#include "shared/log_line.h"

#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "tests/support/captured_log.h"

using namespace policyd;

TEST_CASE("log_line: a line has its level and what its format names, however long it is") {
  const test::CapturedLog log;
  const std::string name(2'000, 'x');
  log_info("{} of {}", 1, "two");
  log_warning("{}", name);
  log_error("three");
  CHECK(log.lines() == std::vector<std::string>{"info: 1 of two", "warning: " + name, "error: three"});
}

TEST_CASE("log_line: what is below the level is not written") {
  const test::CapturedLog log;
  log_debug("not this {}", "one");
  log_line(LogLevel::debug, "nor this one");
  CHECK(log.lines().empty());
  CHECK_FALSE(logs(LogLevel::debug));
  CHECK(logs(LogLevel::info));
}

TEST_CASE("log_line: of a line that cannot be made its format is written") {
  const test::CapturedLog log;
  log_format(LogLevel::error, "half a {", fmt::make_format_args());
  CHECK(log.lines() == std::vector<std::string>{"error: half a {"});
}

TEST_CASE("log_line: a line that is ready stays as it is") {
  const test::CapturedLog log;
  log_line(LogLevel::info, "{} {0} {unknown} %s");
  CHECK(log.lines() == std::vector<std::string>{"info: {} {0} {unknown} %s"});
}
