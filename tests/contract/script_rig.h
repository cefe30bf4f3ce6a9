// The charge script in a Redis whose clock the test turns.
#pragma once

#include <doctest/doctest.h>

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "policyd/store/charge_command.h"
#include "policyd/store/packed_numbers.h"
#include "policyd/store/redis_connection.h"
#include "policyd/store/redis_scripts.h"
#include "policyd/store/resp.h"
#include "shared/duration.h"
#include "tests/support/redis_server.h"
#include "tests/support/run_task.h"

namespace policyd::test {

// A Redis whose charge script takes its time from a key.
class ScriptRig {
 public:
  ScriptRig() {
    StoreUrl url;
    url.path = server_.socket();
    connection_.emplace(loop_, url, Milliseconds{20'000}, RedisConnection::Events{[](const std::string&) {}, {}, {}});
    REQUIRE(loop_.run(connection_->open()).ok());
    std::string source(kChargeScript);
    const std::string_view clock = "call('TIME')";
    REQUIRE(source.find(clock) != std::string::npos);
    source.replace(source.find(clock), clock.size(), "{call('GET', 'clock'), 0}");
    sha_ = ask({"SCRIPT", "LOAD", source}).text;
  }

  [[nodiscard]] const std::string& sha() const { return sha_; }

  // `words` to Redis, and its answer.
  RedisReply ask(const std::vector<std::string_view>& words) {
    std::string command;
    append_command(command, words);
    return send(command);
  }

  void set_time(WallTime now) {
    const int64_t ms = now.time_since_epoch().count();
    ask({"SET", "clock", std::to_string(ms / 1000) + "." + std::to_string(1000 + ms % 1000).substr(1)});
  }

  // All in one run.
  std::vector<ChargeResult> charge(const std::vector<Charge>& charges, ChargeMode mode = ChargeMode::live,
                                   WallTime at = {}) {
    command_.clear();
    for (const Charge& charge : charges) command_.add(charge, charge.dry_run ? ChargeMode::dry : mode, at);
    const RedisReply reply = send(command_.take("EVALSHA", sha_));
    REQUIRE_MESSAGE(!reply.is_error(), reply.text);
    auto answers = ChargeAnswers::of(reply, charges.size());
    REQUIRE(answers.has_value());
    std::vector<ChargeResult> results;
    for (const Charge& charge : charges) {
      const ChargeAnswer answer = answers->next();
      REQUIRE_MESSAGE(answer.kind != ChargeAnswer::Kind::failed, answer.error);
      results.push_back(answer.result(charge));
    }
    return results;
  }

  std::string state(std::string_view account) { return ask({"GET", keys_.rate(account)}).text; }
  std::vector<Usage> used(std::string_view account, WallTime now) {
    const auto counters = unpack_counters(state(account));
    REQUIRE(counters.has_value());
    return counters->usage(now);
  }
  int64_t ttl(std::string_view account) { return ask({"PTTL", keys_.rate(account)}).integer; }
  [[nodiscard]] const Keys& keys() const { return keys_; }

 private:
  RedisReply send(std::string_view command) {
    const auto sending = [](RedisConnection& connection, std::string octets) -> Task<Result<RedisReply>> {
      auto call = connection.send_serialized(octets, connection.loop_time());
      co_return co_await call;
    };
    auto reply = loop_.run(sending(*connection_, std::string(command)));
    REQUIRE(reply.ok());
    return *std::move(reply);
  }

  TestLoop loop_;
  RedisServer server_;
  std::optional<RedisConnection> connection_;
  const Keys keys_{"policyd:"};
  ChargeCommand command_{keys_};
  std::string sha_;
};

using Used = std::map<std::string, int64_t>;
inline Used to_map(const std::vector<Usage>& usage) {
  Used used;
  for (const Usage& one : usage) {
    used[std::string(meter_name(one.meter)) + "/" + format_duration(one.window)] = one.used;
  }
  return used;
}

inline std::string to_text(const std::vector<Usage>& usage) {
  std::string text;
  for (const auto& [limit, used] : to_map(usage)) text += limit + ": " + std::to_string(used) + "; ";
  return text;
}

inline std::string describe(const ChargeResult& result) {
  if (result.passed) return "passed";
  std::string text = "refused by " + result.limit.value().to_string() + ", " +
                     (result.retry_after ? std::to_string(result.retry_after->count()) : "for ever");
  for (const LimitUse& use : result.uses) {
    text += "; " + std::string(meter_name(use.limit.meter)) + " " + std::to_string(use.used) + " of " +
            use.limit.to_string();
  }
  return text;
}

}  // namespace policyd::test
