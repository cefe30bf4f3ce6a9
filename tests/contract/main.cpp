// The contract tests' main: one suite, every store. Stores log their normal course; only trouble is shown.
#define DOCTEST_CONFIG_IMPLEMENT
#include <doctest/doctest.h>
#include <spdlog/spdlog.h>

int main(int count, char** arguments) {
  spdlog::set_level(spdlog::level::warn);
  return doctest::Context(count, arguments).run();
}
