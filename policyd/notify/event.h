// What somebody may have to be told of at once: an account that was locked, a store that is lost.
//
// Whoever sees such a thing happen tells an EventSink, which never fails and never makes anybody wait.
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>

namespace policyd {

enum class EventKind : uint8_t { lock, unlock, limit, store_lost, store_back, list_suspended, list_back };

struct Event {
  EventKind kind = EventKind::lock;
  std::string account;  // empty: of none
  std::string text;     // one line for people
  nlohmann::json details;
};

class EventSink {
 public:
  virtual ~EventSink() = default;
  virtual void tell(Event event) = 0;
};

}  // namespace policyd
