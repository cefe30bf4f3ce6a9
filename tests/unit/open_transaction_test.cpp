// Which messages never came to their end, and how many of their recipients were refused.
#include "policyd/open_transaction.h"

#include <doctest/doctest.h>

#include <vector>

namespace policyd {
namespace {

const auto kPolicy = std::make_shared<const AccountPolicy>();
constexpr MessageEnds::Service kService = 587;
constexpr uint64_t kKey = 1;

OpenTransaction::Message of(std::string_view instance, std::string_view account, bool has_queue_id = false) {
  return {instance, account, kKey, kService, has_queue_id};
}

// Recipients of "1", each asked for with a queue id or without.
OpenTransaction::Abandoned abandoned_after(const std::vector<bool>& queue_ids) {
  OpenTransaction transaction;
  int64_t before = 0;
  for (const bool has_queue_id : queue_ids) transaction.passed(of("1", "joe", has_queue_id), before++, kPolicy);
  const auto* over = transaction.end();
  REQUIRE(over != nullptr);
  return *over;
}

TEST_CASE("open transaction: another message, or the connection's end, tells what was open") {
  OpenTransaction transaction;
  CHECK(transaction.begin("1") == nullptr);
  for (const int64_t before : {0, 1}) transaction.passed(of("1", "joe"), before, kPolicy);
  CHECK(transaction.begin("1") == nullptr);
  const auto* first = transaction.begin("2");
  REQUIRE(first != nullptr);
  CHECK(first->instance == "1");
  CHECK(first->account == "joe");
  CHECK(first->key == kKey);
  CHECK(first->service == kService);
  CHECK(first->invalid(true) == 2);
  CHECK(first->policy == kPolicy);
  CHECK(transaction.begin("3") == nullptr);
  transaction.passed(of("3", "ann"), 0, kPolicy);
  const auto* last = transaction.end();
  REQUIRE(last != nullptr);
  CHECK(last->account == "ann");
  CHECK(last->invalid(true) == 1);
  CHECK(transaction.end() == nullptr);
}

TEST_CASE("open transaction: one recipient that does not exist is enough, and of the next message all do") {
  OpenTransaction transaction;
  auto unknown = of("1", "joe");
  unknown.exists = false;
  for (const auto& message : {of("1", "joe"), unknown, of("1", "joe")}) transaction.passed(message, 0, kPolicy);
  const auto* first = transaction.begin("2");
  REQUIRE(first != nullptr);
  CHECK_FALSE(first->all_exist);
  transaction.passed(of("2", "joe"), 0, kPolicy);
  const auto* last = transaction.end();
  REQUIRE(last != nullptr);
  CHECK(last->all_exist);
}

TEST_CASE("open transaction: a recipient is refused for certain where the message has no queue id at the next one") {
  struct Case {
    const char* label;
    std::vector<bool> queue_ids;  // whether there is one, at each recipient
    int64_t invalid;
  };
  const auto all_but_the_first = [](size_t size) {
    std::vector<bool> all(size, true);
    all[0] = false;
    return all;
  };
  const std::vector<Case> cases{
      {"one recipient", {false}, 1},
      {"thirty, all refused", std::vector<bool>(30, false), 30},
      {"sixty accepted, one refused", all_but_the_first(61), 1},
      {"two refused, two accepted", {false, false, false, true}, 2},
      {"one refused, and nothing known of the next", {false, false}, 2},
      {"a queue id from the start (smtpd_delay_open_until_valid_rcpt = no)", std::vector<bool>(30, true), 1},
  };
  for (const Case& c : cases) {
    CAPTURE(c.label);
    const auto over = abandoned_after(c.queue_ids);
    CHECK(over.invalid(true) == c.invalid);
    CHECK(over.invalid(false) == 1);
  }
}

TEST_CASE("open transaction: a message that came to DATA is not open any more") {
  OpenTransaction transaction;
  transaction.passed(of("1", "joe"), 0, kPolicy);
  transaction.settle();
  CHECK(transaction.begin("2") == nullptr);
  CHECK(transaction.end() == nullptr);
}

TEST_CASE("open transaction: without an instance nothing is known of a message, and it ends none") {
  OpenTransaction transaction;
  transaction.passed(of("", "joe"), 0, kPolicy);
  CHECK(transaction.end() == nullptr);
}

}  // namespace
}  // namespace policyd
