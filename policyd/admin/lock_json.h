// Locks as JSON: {"account", "reason", "evidence", "since", "until", "unlocks", "by", "node"}.
//
// What is empty is left out, but for "until": null is a lock without an end. Times are RFC 3339, UTC. Of an event the
// lock's members follow {"event", "at", "who"}; no "who": it ended by itself. Pure.
#pragma once

#include "policyd/admin/json.h"
#include "shared/lock.h"

namespace policyd {

Json lock_to_json(const Lock& lock);
Json lock_event_to_json(const LockEvent& event);

}  // namespace policyd
