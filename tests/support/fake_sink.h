// An event sink that keeps what it is told.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "policyd/notify/event.h"

namespace policyd::test {

class FakeSink final : public EventSink {
 public:
  std::vector<Event> told;
  bool wanting = true;

  void tell(Event event) override { told.push_back(std::move(event)); }
  [[nodiscard]] bool wants(EventKind, std::string_view) const override { return wanting; }

  // "limit joe@example.com: TEXT", a line each; then nothing is left.
  std::string lines() {
    std::string all;
    for (const Event& event : std::exchange(told, {})) {
      all.append(event_kind_name(event.kind)).append(event.account.empty() ? "" : " ").append(event.account);
      all.append(": ").append(event.text).append("\n");
    }
    return all;
  }
};

}  // namespace policyd::test
