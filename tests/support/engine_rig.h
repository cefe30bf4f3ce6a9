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
std::string action_of(const Verdict& verdict);

// A request that is being decided.
class Asking {
 public:
  Asking(Engine& engine, std::string_view lines);
  ~Asking();
  Asking(const Asking&) = delete;
  Asking& operator=(const Asking&) = delete;

  [[nodiscard]] bool done() const;
  // Once it is done.
  [[nodiscard]] Verdict verdict() const;

 private:
  std::unique_ptr<Request> request_;
  Task<Verdict> task_;
};

struct EngineRig {
  enum class Journaling : uint8_t { off, on };
  // Without a journal texts are as they are configured, without ids.
  explicit EngineRig(std::string_view toml = "", Journaling journaling = Journaling::off);
  ~EngineRig();
  EngineRig(const EngineRig&) = delete;
  EngineRig& operator=(const EngineRig&) = delete;

  // SPF weighs something for nearly every mail, and recipients of outgoing mail are looked up: tests that are not about
  // them do without.
  static std::string without_spf(std::string_view toml);

  Verdict decide(std::string_view lines);
  Verdict explain(std::string_view lines);
  std::string action(std::string_view lines);
  // The action and what decided: "DUNNO (none)", "DEFER 4.7.1 Sending limit reached (limit)".
  std::string told(std::string_view lines);

  void block(BlockType type, std::string_view target, BlockDirection direction = BlockDirection::both,
             std::string reply = "");

  [[nodiscard]] uint64_t verdicts(Direction direction, Action action) const;
  [[nodiscard]] uint64_t causes(Cause cause) const;
  [[nodiscard]] EngineStatistics::PerCheck counted(std::string_view check) const;

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
