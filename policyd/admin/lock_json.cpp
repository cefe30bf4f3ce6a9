#include "policyd/admin/lock_json.h"

#include "shared/block.h"

namespace policyd {

Json lock_to_json(const Lock& lock) {
  Json json = {{"account", lock.account}};
  const auto fields = lock.fields();
  for (const char* name : {"reason", "evidence", "since", "until", "by", "node"}) {
    if (const auto field = fields.find(name); field != fields.end()) json[name] = field->second;
  }
  if (!lock.until) json["until"] = nullptr;
  json["unlocks"] = lock.unlocks;
  return json;
}

Json lock_event_to_json(const LockEvent& event) {
  Json json = {{"event", lock_event_name(event.kind)}, {"at", format_time(event.at)}};
  if (!event.by.empty()) json["who"] = event.by;
  json.update(lock_to_json(event.lock));
  return json;
}

}  // namespace policyd
