// An engine on a fake store, and how tests ask it.
//
// Whatever form Engine::decide has, tests see it in here only.
#pragma once

#include <doctest/doctest.h>

#include <memory>
#include <string>
#include <string_view>

#include "policyd/engine.h"
#include "policyd/journal/journal.h"
#include "policyd/reply.h"
#include "tests/support/fake_clock.h"
#include "tests/support/fake_resolver.h"
#include "tests/support/fake_sink.h"
#include "tests/support/fake_store.h"
#include "tests/support/make_request.h"
#include "tests/support/request_lines.h"
#include "tests/support/run_task.h"
#include "tests/support/test_config.h"

namespace policyd::test {

// What Postfix reads: "DUNNO", "REJECT 5.7.1 Message refused".
inline std::string action_of(const Verdict& verdict) {
  const std::string reply = reply_to(verdict);
  REQUIRE(reply.starts_with("action="));
  REQUIRE(reply.ends_with("\n\n"));
  return reply.substr(7, reply.size() - 9);
}

// A request that is being decided.
class Asking {
 public:
  Asking(Engine& engine, std::string_view lines) : request_(make_request(lines)), task_(engine.decide(*request_)) {
    task_.start();
  }
  [[nodiscard]] bool done() const { return task_.done(); }
  // Once it is done.
  [[nodiscard]] Verdict verdict() const {
    REQUIRE(done());
    return task_.result();
  }

 private:
  std::unique_ptr<Request> request_;
  Task<Verdict> task_;
};

struct EngineRig {
  enum class Journaling : uint8_t { off, on };
  // Without a journal texts are as they are configured, without ids.
  explicit EngineRig(std::string_view toml = "", Journaling journaling = Journaling::off)
      : engine(config_from(without_spf(toml)), EngineParts{mirror, store, resolver, zones, clock, loop, warden, &events,
                                                           journaling == Journaling::on ? &journal : nullptr}) {
    journal.reconfigure(engine.config().journal);
    zones.tick();
    resolver.forget();
  }

  // SPF weighs something for nearly every mail, and recipients of outgoing mail are looked up: tests that are not about
  // them do without.
  static std::string without_spf(std::string_view toml) {
    std::string all(toml);
    for (const std::string_view check : {"[checks.spf]", "[checks.recipient_domain]"}) {
      if (toml.find(check) != std::string_view::npos) continue;
      all.append("\n").append(check).append("\nincoming = 0\noutgoing = 0\n");
    }
    return all;
  }

  Verdict decide(std::string_view lines) {
    const Asking asking(engine, lines);
    loop.turn_until([&asking] { return asking.done(); });
    return asking.verdict();
  }
  Verdict explain(std::string_view lines) {
    const auto request = make_request(lines);
    return loop.run(engine.explain(*request));
  }
  std::string action(std::string_view lines) { return action_of(decide(lines)); }
  // The action and what decided: "DUNNO (none)", "DEFER 4.7.1 Sending limit reached (limit)".
  std::string told(std::string_view lines) {
    const Verdict verdict = decide(lines);
    return action_of(verdict) + " (" + std::string(cause_name(verdict.cause)) + ")";
  }

  void block(BlockType type, std::string_view target, BlockDirection direction = BlockDirection::both,
             std::string reply = "") {
    auto made = BlockTarget::make(type, target);
    REQUIRE_MESSAGE(made.ok(), target);
    Block block;
    block.target = *made;
    block.direction = direction;
    block.reply = std::move(reply);
    mirror.put_block(std::move(block));
  }

  [[nodiscard]] uint64_t verdicts(Direction direction, Action action) const {
    return engine.statistics().verdicts[static_cast<size_t>(direction)][static_cast<size_t>(action)];
  }
  [[nodiscard]] uint64_t causes(Cause cause) const { return engine.statistics().causes[static_cast<size_t>(cause)]; }
  [[nodiscard]] EngineStatistics::PerCheck counted(std::string_view check) const {
    for (size_t i = 0; i < check_table().size(); ++i) {
      if (check_table()[i].spec.name == check) return engine.statistics().checks[i];
    }
    throw std::logic_error("no such check");
  }

  TestLoop loop;
  FakeClock clock;
  Mirror mirror{clock};
  FakeStore store;
  FakeSink events;
  // The world of request_lines().
  FakeResolver resolver{R"(
    stranger.example MX 10 mail.stranger.example
    stranger.example TXT v=spf1 ?all
    mail.stranger.example A 192.0.2.1
  )"};
  Zones zones{resolver, clock};
  Warden warden{loop, store, mirror, nullptr, "mx1"};
  Journal journal{loop, clock, store, "mx1"};
  Engine engine;
};

}  // namespace policyd::test
