// The Redis store on a Redis of its own, with charges by the hundred and Redis' troubles in the hands of the test.
#pragma once

#include <doctest/doctest.h>

#include <deque>
#include <memory>
#include <string>
#include <vector>

#include "policyd/store/charge_command.h"
#include "tests/contract/redis_node.h"
#include "tests/support/charges.h"
#include "tests/support/fake_clock.h"
#include "tests/support/redis_server.h"
#include "tests/support/run_task.h"

namespace policyd::test {

class RedisRig {
 public:
  explicit RedisRig(Milliseconds timeout = Milliseconds{5'000}, std::vector<std::string> options = {})
      : redis(std::move(options)), config(redis_config(redis.socket(), timeout)) {
    open();
  }
  ~RedisRig() {
    if (store) loop.run(store->stop());
  }

  void open() {
    store = std::make_unique<RedisStore>(loop, clock, mirror, config, node_named("test:1"));
    REQUIRE(store->start().ok());
    REQUIRE(store->status().available);
  }
  // Stops the store and starts another one on the same Redis.
  void restart() {
    loop.run(store->stop());
    store.reset();
    open();
  }

  // A charge of each of `count` messages, on accounts "0" to "9" in turn.
  std::vector<Charge> charges(size_t count) {
    std::vector<Charge> all;
    while (instances_.size() < count) instances_.push_back("i" + std::to_string(instances_.size()));
    for (size_t i = 0; i < count; ++i) {
      all.push_back(recipient_charge(accounts_[i % accounts_.size()], instances_[i], "a@x", 0, &limits));
    }
    return all;
  }

  // All of them side by side.
  std::vector<ChargeResult> charge(const std::vector<Charge>& charges) {
    return charge_side_by_side(loop, *store, charges);
  }

  int64_t used(std::string account) {
    const auto usage = loop.run(store->usage(std::move(account)));
    REQUIRE(usage.ok());
    return usage->usage.empty() ? 0 : usage->usage[0].used;
  }
  int64_t used_by_all() {
    int64_t sum = 0;
    for (const std::string& account : accounts_) sum += used(account);
    return sum;
  }

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
