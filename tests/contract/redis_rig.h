// The Redis store on a Redis of its own, with charges by the hundred and Redis' troubles in the hands of the test.
#pragma once

#include <doctest/doctest.h>

#include <deque>
#include <memory>
#include <string>
#include <vector>

#include "tests/contract/redis_node.h"
#include "tests/support/charges.h"
#include "tests/support/fake_clock.h"
#include "tests/support/redis_server.h"
#include "tests/support/run_task.h"

namespace policyd::test {

class RedisRig {
 public:
  explicit RedisRig(Milliseconds timeout = Milliseconds{5'000}, std::vector<std::string> options = {});
  ~RedisRig();
  RedisRig(const RedisRig&) = delete;
  RedisRig& operator=(const RedisRig&) = delete;

  void open();
  // Stops the store and starts another one on the same Redis.
  void restart();

  // A charge of each of `count` messages, on accounts "0" to "9" in turn.
  std::vector<Charge> charges(size_t count);

  // All of them side by side.
  std::vector<ChargeResult> charge(const std::vector<Charge>& charges);

  int64_t used(std::string account);
  int64_t used_by_all();

  RedisServer redis;
  Config::Store config;
  TestLoop loop;
  FakeClock clock{SystemClock().wall()};
  Mirror mirror{clock};
  std::unique_ptr<RedisStore> store;

  const Limits limits{{Meter::messages, 1'000, Milliseconds{86'400'000}}};

 private:
  const std::vector<std::string> accounts_{"0", "1", "2", "3", "4", "5", "6", "7", "8", "9"};
  std::deque<std::string> instances_;  // charges see into them
};

}  // namespace policyd::test
