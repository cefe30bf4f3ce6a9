// Notices that the store is lost or back and that DNS lists are suspended or back, and tells.
//
// It is asked to look every second: what is over within that time is told to nobody but the log. What the sink does not
// want now, such as a store that is lost for the second time within `quiet`, is told as soon as it does, if it is still
// so: what was told last is not wrong for longer. All is taken to be well at the start. Never fails.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <utility>

#include "policyd/dnsbl/zones.h"
#include "policyd/notify/event_sink.h"
#include "policyd/store/store.h"

namespace policyd {

class StateWatch {
 public:
  // All references outlive it.
  StateWatch(const Store& store, const Zones& zones, std::string node, EventSink& sink)
      : store_(store), zones_(zones), node_(std::move(node)), sink_(sink) {}

  void look();

 private:
  void look_at_store();
  void look_at_lists();

  const Store& store_;
  const Zones& zones_;
  const std::string node_;
  EventSink& sink_;
  bool store_lost_ = false;                                     // as it was told
  std::map<std::pair<ZoneKind, std::string>, bool> suspended_;  // likewise, by kind and zone
  uint64_t turns_ = 0;  // Zones::turns() as it was
  int looks_ = 0;       // since all lists were looked at
};

}  // namespace policyd
