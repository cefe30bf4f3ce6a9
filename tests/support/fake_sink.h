// An event sink that keeps what it is told.
#pragma once

#include <set>
#include <string>
#include <utility>
#include <vector>

#include "policyd/notify/event_sink.h"

namespace policyd::test {

class FakeSink final : public EventSink {
 public:
  std::vector<Event> told;  // policyd/notify/event.h
  bool wanting = true;
  std::set<std::pair<EventKind, std::string>> unwanted{};  // with whom it is about

  FakeSink();
  ~FakeSink() override;

  void tell(Event event) override;
  [[nodiscard]] bool wants(EventKind kind, std::string_view about) const override;

  // "limit joe@example.com: TEXT", a line each; then nothing is left.
  std::string lines();
};

}  // namespace policyd::test
