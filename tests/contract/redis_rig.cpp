#include "tests/contract/redis_rig.h"

#include <utility>

namespace policyd::test {

RedisRig::RedisRig(Milliseconds timeout, std::vector<std::string> options)
    : redis(std::move(options)), config(redis_config(redis.socket(), timeout)) {
  open();
}

RedisRig::~RedisRig() {
  if (store) loop.run(store->stop());
}

void RedisRig::open() {
  store = std::make_unique<RedisStore>(loop, clock, mirror, config, node_named("test:1"));
  REQUIRE(store->start().ok());
  REQUIRE(store->status().available);
}

void RedisRig::restart() {
  loop.run(store->stop());
  store.reset();
  open();
}

std::vector<Charge> RedisRig::charges(size_t count) {
  std::vector<Charge> all;
  while (instances_.size() < count) instances_.push_back("i" + std::to_string(instances_.size()));
  for (size_t i = 0; i < count; ++i) {
    all.push_back(recipient_charge(accounts_[i % accounts_.size()], instances_[i], "a@x", 0, &limits));
  }
  return all;
}

std::vector<ChargeResult> RedisRig::charge(const std::vector<Charge>& charges) {
  return charge_side_by_side(loop, *store, charges);
}

int64_t RedisRig::used(std::string account) {
  const auto usage = loop.run(store->usage(std::move(account)));
  REQUIRE(usage.ok());
  return usage->usage.empty() ? 0 : usage->usage[0].used;
}

int64_t RedisRig::used_by_all() {
  int64_t sum = 0;
  for (const std::string& account : accounts_) sum += used(account);
  return sum;
}

}  // namespace policyd::test
