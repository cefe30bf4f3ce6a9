// Which messages never came to DATA, and how many recipients they had.
#include "policyd/open_transaction.h"

#include <doctest/doctest.h>

namespace policyd {
namespace {

const auto kPolicy = std::make_shared<const AccountPolicy>();

TEST_CASE("open transaction: another message, or the connection's end, tells what was open") {
  OpenTransaction transaction;
  CHECK_FALSE(transaction.begin("1").has_value());
  for (const char* to : {"a@x", "b@x", "a@x"}) transaction.passed("1", "joe", to, kPolicy);
  CHECK_FALSE(transaction.begin("1").has_value());
  const auto first = transaction.begin("2");
  REQUIRE(first.has_value());
  CHECK(first->account == "joe");
  CHECK(first->recipients == 2);
  CHECK(first->policy == kPolicy);
  CHECK_FALSE(transaction.begin("3").has_value());
  transaction.passed("3", "ann", "a@x", kPolicy);
  const auto last = transaction.end();
  REQUIRE(last.has_value());
  CHECK(last->account == "ann");
  CHECK(last->recipients == 1);
  CHECK_FALSE(transaction.end().has_value());
}

TEST_CASE("open transaction: a message that came to DATA is not open any more") {
  OpenTransaction transaction;
  transaction.passed("1", "joe", "a@x", kPolicy);
  transaction.settle();
  CHECK_FALSE(transaction.begin("2").has_value());
  CHECK_FALSE(transaction.end().has_value());
}

TEST_CASE("open transaction: without an instance nothing is known of a message, and it ends none") {
  OpenTransaction transaction;
  transaction.passed("", "joe", "a@x", kPolicy);
  CHECK_FALSE(transaction.end().has_value());
}

}  // namespace
}  // namespace policyd
