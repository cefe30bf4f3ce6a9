// How long queries are waited for while servers answer, keep silent and come back; and what is told of it.
#include "policyd/dns/patience.h"

#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "tests/support/captured_log.h"

namespace policyd {
namespace {

using Lines = std::vector<std::string>;

void keep_silent(Patience& patience, int times = Patience::kSilences) {
  for (int i = 0; i < times; ++i) patience.silence();
}

TEST_CASE("patience: silence in a row makes it short, whatever comes back makes it whole") {
  const test::CapturedLog log;
  Patience patience("127.0.0.1:53,[::1]:53", Milliseconds(1000));
  for (int i = 0; i < 10; ++i) {
    keep_silent(patience, Patience::kSilences - 1);
    patience.answer();
  }
  keep_silent(patience, Patience::kSilences - 1);
  CHECK(patience.now() == Milliseconds(1000));
  CHECK(log.lines().empty());
  patience.silence();
  CHECK(patience.now() == Milliseconds(100));
  keep_silent(patience, 1000);
  CHECK(patience.now() == Milliseconds(100));
  patience.answer();
  patience.answer();
  CHECK(patience.now() == Milliseconds(1000));
  CHECK(log.lines() == Lines{"warning: dns: 127.0.0.1:53,[::1]:53 did not answer 4 queries in a row; until one is "
                             "answered, others are waited for 100ms instead of 1s",
                             "info: dns: 127.0.0.1:53,[::1]:53 answers again; a query is waited for 1s"});
}

TEST_CASE("patience: short is a tenth, never less than servers that are well need, and never more than whole") {
  const test::CapturedLog log;
  for (const auto& [whole, wanted] : {std::pair(50, 50), std::pair(60, 50), std::pair(500, 50), std::pair(510, 51),
                                      std::pair(30'000, 3'000)}) {
    Patience patience("192.0.2.1:53", Milliseconds(whole));
    keep_silent(patience);
    CHECK(patience.now() == Milliseconds(wanted));
  }
}

}  // namespace
}  // namespace policyd
