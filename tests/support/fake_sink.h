// An event sink that keeps what it is told.
#pragma once

#include <set>
#include <string>
#include <utility>
#include <vector>

#include "policyd/notify/event.h"

namespace policyd::test {

class FakeSink final : public EventSink {
 public:
  std::vector<Event> told;
  bool wanting = true;
  std::set<std::pair<EventKind, std::string>> unwanted{};  // with whom it is about

  void tell(Event event) override { told.push_back(std::move(event)); }
  [[nodiscard]] bool wants(EventKind kind, std::string_view about) const override {
    return wanting && !unwanted.contains({kind, std::string(about)});
  }

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
