#include "tests/support/engine_rig.h"

#include <stdexcept>
#include <utility>

#include "policyd/reply.h"

namespace policyd::test {

std::string action_of(const Verdict& verdict) {
  const std::string reply = reply_to(verdict);
  REQUIRE(reply.starts_with("action="));
  REQUIRE(reply.ends_with("\n\n"));
  return reply.substr(7, reply.size() - 9);
}

Asking::Asking(Engine& engine, std::string_view lines)
    : request_(make_request(lines)), task_(engine.decide(*request_)) {
  task_.start();
}

Asking::~Asking() = default;

bool Asking::done() const {
  return task_.done();
}

Verdict Asking::verdict() const {
  REQUIRE(done());
  return task_.result();
}

EngineRig::EngineRig(std::string_view toml, Journaling journaling)
    : engine(config_from(without_spf(toml)), EngineParts{mirror, store, resolver, zones, clock, loop, warden, &events,
                                                         journaling == Journaling::on ? &journal : nullptr}) {
  journal.reconfigure(engine.config().journal);
  zones.tick();
  resolver.forget();
}

EngineRig::~EngineRig() = default;

std::string EngineRig::without_spf(std::string_view toml) {
  std::string all(toml);
  for (const std::string_view check : {"[checks.spf]", "[checks.recipient_domain]"}) {
    if (toml.find(check) != std::string_view::npos) continue;
    all.append("\n").append(check).append("\nincoming = 0\noutgoing = 0\n");
  }
  return all;
}

Verdict EngineRig::decide(std::string_view lines) {
  const Asking asking(engine, lines);
  loop.turn_until([&asking] { return asking.done(); });
  return asking.verdict();
}

Verdict EngineRig::explain(std::string_view lines) {
  const auto request = make_request(lines);
  return loop.run(engine.explain(*request));
}

std::string EngineRig::action(std::string_view lines) {
  return action_of(decide(lines));
}

std::string EngineRig::told(std::string_view lines) {
  const Verdict verdict = decide(lines);
  return action_of(verdict) + " (" + std::string(cause_name(verdict.cause)) + ")";
}

void EngineRig::block(BlockType type, std::string_view target, BlockDirection direction, std::string reply) {
  auto made = BlockTarget::make(type, target);
  REQUIRE_MESSAGE(made.ok(), target);
  Block block;
  block.target = *made;
  block.direction = direction;
  block.reply = std::move(reply);
  mirror.put_block(std::move(block));
}

uint64_t EngineRig::verdicts(Direction direction, Action action) const {
  return engine.statistics().verdicts[static_cast<size_t>(direction)][static_cast<size_t>(action)];
}

uint64_t EngineRig::causes(Cause cause) const {
  return engine.statistics().causes[static_cast<size_t>(cause)];
}

EngineStatistics::PerCheck EngineRig::counted(std::string_view check) const {
  for (size_t i = 0; i < check_table().size(); ++i) {
    if (check_table()[i].spec.name == check) return engine.statistics().checks[i];
  }
  throw std::logic_error("no such check");
}

}  // namespace policyd::test
