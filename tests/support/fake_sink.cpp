#include "tests/support/fake_sink.h"

#include "policyd/notify/event.h"

namespace policyd::test {

FakeSink::FakeSink() = default;
FakeSink::~FakeSink() = default;

void FakeSink::tell(Event event) {
  told.push_back(std::move(event));
}

bool FakeSink::wants(EventKind kind, std::string_view about) const {
  return wanting && !unwanted.contains({kind, std::string(about)});
}

std::string FakeSink::lines() {
  std::string all;
  for (const Event& event : std::exchange(told, {})) {
    all.append(event_kind_name(event.kind)).append(event.account.empty() ? "" : " ").append(event.account);
    all.append(": ").append(event.text).append("\n");
  }
  return all;
}

}  // namespace policyd::test
