// A connection of Postfix to an engine: what it asks about the messages of joe@example.com, and what the store was told
// of their recipients.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "policyd/open_transaction.h"
#include "tests/support/engine_rig.h"
#include "tests/support/make_request.h"
#include "tests/support/request_lines.h"

namespace policyd::test {

inline const std::string kQueueId = "4C796A86003";

struct PostfixConnection {
  // `changes`: attributes of all its requests, such as of its service.
  explicit PostfixConnection(EngineRig& engine_rig, Attributes changes = {})
      : rig(engine_rig), attributes(std::move(changes)) {}

  void ask(std::string_view lines) {
    const auto request = make_request(lines);
    rig.loop.run(rig.engine.decide(*request, &transaction));
  }
  // `queue_id`: none until Postfix has accepted a recipient.
  void rcpt(std::string recipient, std::string instance, std::string queue_id = "") {
    ask(lines_with({{"recipient", std::move(recipient)}, {"instance", std::move(instance)},
                    {"queue_id", std::move(queue_id)}}));
  }
  void data(std::string instance, std::string queue_id = kQueueId, std::string state = "DATA") {
    ask(lines_with({{"protocol_state", std::move(state)}, {"recipient", ""}, {"recipient_count", "1"},
                    {"instance", std::move(instance)}, {"queue_id", std::move(queue_id)}}));
  }
  // The amounts of invalid recipients that were counted as signs, of this engine's mail as a whole.
  [[nodiscard]] std::vector<int64_t> invalid() const {
    std::vector<int64_t> all;
    for (const auto& asked : rig.store.asked) {
      if (asked.kind == Charge::Kind::sign && asked.meter == Meter::invalid_recipients) all.push_back(asked.amount);
    }
    return all;
  }
  [[nodiscard]] std::string lines_with(Attributes changes) const {
    changes.insert(attributes.begin(), attributes.end());
    return outgoing_lines(std::move(changes));
  }

  EngineRig& rig;
  const Attributes attributes;
  OpenTransaction transaction;
};

}  // namespace policyd::test
