#include "tests/contract/store_rig.h"

#include "policyd/store/memory.h"
#include "shared/duration.h"
#include "tests/contract/redis_node.h"
#include "tests/support/redis_server.h"
#include "tests/support/temporary_directory.h"

namespace policyd::test {

namespace {

std::shared_ptr<void> no_world() { return nullptr; }

template <class World>
std::shared_ptr<void> make() {
  return std::make_shared<World>();
}

void by_the_clock(StoreRig&, Milliseconds) {}

// Redis has a clock of its own: in place of setting that forward, all times that are stored are set back, and what
// lives, lives shorter.
void age_in_redis(StoreRig& rig, Milliseconds by) {
  constexpr const char* kAge = R"lua(
for _, key in ipairs(redis.call('KEYS', 'policyd:grey:*')) do
  local left = redis.call('PTTL', key) - tonumber(ARGV[1])
  local before, at, after = string.match(redis.call('GET', key), '^(%w+ )(%d+)(.*)$')
  if left <= 0 then
    redis.call('DEL', key)
  else
    redis.call('SET', key, string.format('%s%.0f%s', before, at - ARGV[1], after), 'PX', string.format('%.0f', left))
  end
end
local rows = redis.call('XRANGE', 'policyd:journal', '-', '+')
if #rows > 0 then
  local left = redis.call('PTTL', 'policyd:journal') - tonumber(ARGV[1])
  redis.call('DEL', 'policyd:journal')
  for _, row in ipairs(rows) do
    local at, number = string.match(row[1], '^(%d+)-(%d+)$')
    redis.call('XADD', 'policyd:journal', string.format('%.0f-%s', at - ARGV[1], number), unpack(row[2]))
  end
  redis.call('PEXPIRE', 'policyd:journal', string.format('%.0f', left))
end
return 1
)lua";
  REQUIRE(rig.world_as<RedisServer>().command({"EVAL", kAge, "0", std::to_string(by.count())}) == ":1\r\n");
}

void pass_time_of_all(StoreRig& rig, const std::string&, Milliseconds by) { rig.clock.advance(by); }

void age_lock_in_redis(StoreRig& rig, const std::string& account, Milliseconds by) {
  const auto& redis = rig.world_as<RedisServer>();
  const std::string key = "policyd:lock:{" + account + "}";
  const std::string reply = redis.command({"HGET", key, "until"});  // "$20\r\n2026-11-21T10:00:00Z\r\n"
  const auto until = parse_time(reply.size() < 25 ? "" : reply.substr(5, 20));
  if (!until) return;
  constexpr const char* kAge = R"lua(
redis.call('HSET', KEYS[1], 'until', ARGV[1])
return redis.call('PEXPIRE', KEYS[1], redis.call('PTTL', KEYS[1]) - ARGV[2])
)lua";
  REQUIRE(redis.command({"EVAL", kAge, "1", key, format_time(*until - by), std::to_string(by.count())}) == ":1\r\n");
}

std::unique_ptr<Store> make_memory(StoreRig& rig) {
  return std::make_unique<MemoryStore>(rig.loop, rig.clock, rig.mirror, "");
}

std::unique_ptr<Store> make_memory_with_file(StoreRig& rig) {
  const std::string path = rig.world_as<TemporaryDirectory>().file("state.db");
  return std::make_unique<MemoryStore>(rig.loop, rig.clock, rig.mirror, path);
}

std::unique_ptr<Store> make_redis(StoreRig& rig) {
  const Config::Store config = redis_config(rig.world_as<RedisServer>().socket());
  return std::make_unique<RedisStore>(rig.loop, rig.clock, rig.mirror, config, node_named("contract:1"));
}

}  // namespace

const std::vector<StoreKind>& store_kinds() {
  static const std::vector<StoreKind> kKinds{
      {"memory:", false, no_world, make_memory, by_the_clock, pass_time_of_all},
      {"memory:/FILE", true, make<TemporaryDirectory>, make_memory_with_file, by_the_clock,
       pass_time_of_all},
      {"redis+unix://", true, make<RedisServer>, make_redis, age_in_redis, age_lock_in_redis},
  };
  return kKinds;
}

StoreRig::StoreRig(const StoreKind& store_kind)
    : kind(store_kind), world(kind.make_world()), clock(SystemClock().wall()) {
  start();
}

StoreRig::~StoreRig() { stop(); }

void StoreRig::start() {
  store = kind.make_store(*this);
  const auto started = store->start();
  if (!started) FAIL(started.error().message);
}

void StoreRig::stop() {
  run(store->stop());
  store.reset();
}

void StoreRig::restart() {
  stop();
  mirror.replace_all(Mirror(clock));
  start();
}

std::map<std::string, int64_t> StoreRig::used(const std::string& account) {
  const auto usage = run(store->usage(account));
  REQUIRE(usage.ok());
  CHECK(usage->account == account);
  std::map<std::string, int64_t> used;
  for (const Usage& one : usage->usage) {
    used[std::string(meter_name(one.meter)) + "/" + format_duration(one.window)] = one.used;
  }
  return used;
}

}  // namespace policyd::test
