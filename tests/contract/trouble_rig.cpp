#include "tests/contract/trouble_rig.h"

#include <algorithm>
#include <utility>

namespace policyd::test {

TroubleRig::TroubleRig(Milliseconds timeout, const std::function<void(FakeRedis&)>& prepare) {
  redis.change(kBlockKey, kBlock);
  if (prepare) prepare(redis);
  const Config::Store config = redis_config(redis.socket(), timeout);
  store = std::make_unique<RedisStore>(loop, clock, mirror, config, node_named("test:1"));
  REQUIRE(store->start().ok());
  if (!prepare) REQUIRE(serves());
  served_at_first_ = serves() ? 1 : 0;
}

TroubleRig::~TroubleRig() {
  redis.instead = {};
  if (store) loop.run(store->stop());
}

void TroubleRig::until_it_serves(size_t charged) {
  loop.turn_until([&] { return serves() && to_merge() == 0 && redis.charged().size() >= charged; });
  CHECK(redis.charged().size() == charged);
}

void TroubleRig::until_it_is_away() {
  loop.turn_until([&] { return !serves(); });
}

std::vector<Charge> TroubleRig::messages(size_t count) {
  std::vector<Charge> all;
  for (size_t i = 0; i < count; ++i) {
    const std::string& instance = instances_.emplace_back("i" + std::to_string(instances_.size()));
    all.push_back(recipient_charge("joe", instance, "a@x", 0, &kLimits));
  }
  return all;
}

std::vector<ChargeResult> TroubleRig::charge(const std::vector<Charge>& charges) {
  return charge_side_by_side(loop, *store, charges);
}

size_t TroubleRig::lines(std::string_view needle) const {
  const auto& all = log.lines();
  return static_cast<size_t>(std::count_if(all.begin(), all.end(), [&](const auto& line) {
    return line.find(needle) != std::string::npos;
  }));
}

void TroubleRig::check_told(size_t away, size_t back) const {
  std::string told;
  for (const auto& line : log.lines()) told += line + "\n";
  INFO(told);
  CHECK(lines(": away: ") == away);
  CHECK(lines(": available after ") == back + served_at_first_);
}

std::function<std::optional<FakeRedis::Answer>(const FakeRedis::Command&)> answering(std::string kind,
                                                                                     FakeRedis::Answer answer) {
  return [kind = std::move(kind), answer = std::move(answer)](const FakeRedis::Command& command) {
    return FakeRedis::kind(command) == kind ? std::optional(answer) : std::nullopt;
  };
}

}  // namespace policyd::test
