// Who is told of what happens, and which kinds of events there are; event.h has what is told.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace policyd {

struct Event;

enum class EventKind : uint8_t { lock, unlock, limit, store_lost, store_back, list_suspended, list_back };
inline constexpr size_t kEventKinds = 7;
inline constexpr std::array<std::string_view, kEventKinds> kEventKindNames = {
    "lock", "unlock", "limit", "store_lost", "store_back", "list_suspended", "list_back"};
inline std::string_view event_kind_name(EventKind kind) { return kEventKindNames[static_cast<size_t>(kind)]; }

class EventSink {
 public:
  virtual ~EventSink() = default;
  // Never fails and never waits.
  virtual void tell(Event event) = 0;
  // False: such an event would be told to nobody now, and need not be made. `about`: the account, else the node or
  // list.
  [[nodiscard]] virtual bool wants(EventKind, std::string_view /*about*/) const { return true; }
};

}  // namespace policyd
