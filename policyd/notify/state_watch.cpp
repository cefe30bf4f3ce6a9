#include "policyd/notify/state_watch.h"

#include <utility>

#include "policyd/notify/event.h"

namespace policyd {

namespace {

constexpr int kEveryList = 60;  // looks

}  // namespace

void StateWatch::look() {
  look_at_store();
  look_at_lists();
}

void StateWatch::look_at_store() {
  const StoreStatus status = store_.status();
  if (status.available == !store_lost_) return;
  const EventKind kind = status.available ? EventKind::store_back : EventKind::store_lost;
  if (!sink_.wants(kind, node_)) return;
  store_lost_ = !status.available;
  const std::string text =
      store_lost_ ? "the store " + status.url + " is " + status.detail +
                        "; limits are enforced on this node alone until it is back"
                  : "the store " + status.url + " is back";
  nlohmann::json details = {{"node", node_}, {"store", status.url}, {"detail", status.detail}};
  sink_.tell({kind, {}, text, std::move(details)});
}

// There may be thousands: only where something has turned, and now and then: a reload may have hidden it, and what was
// not wanted then may be now.
void StateWatch::look_at_lists() {
  if (zones_.turns() == turns_ && ++looks_ < kEveryList) return;
  turns_ = zones_.turns();
  looks_ = 0;
  decltype(suspended_) now;
  for (const ZoneStatus& zone : zones_.status()) {
    const std::pair key(zone.kind, zone.zone);
    const auto before = suspended_.find(key);
    const bool was_suspended = before != suspended_.end() && before->second;
    const EventKind kind = zone.suspended ? EventKind::list_suspended : EventKind::list_back;
    const bool turned = zone.suspended != was_suspended && sink_.wants(kind, zone.zone);
    now[key] = turned ? zone.suspended : was_suspended;
    if (!turned) continue;
    const std::string text =
        "the DNS list " + zone.zone + (zone.suspended ? " is suspended: " + zone.detail : " is back");
    nlohmann::json details = {{"list", zone.zone}, {"label", zone.label}, {"detail", zone.detail}};
    sink_.tell({kind, {}, text, std::move(details)});
  }
  suspended_ = std::move(now);
}

}  // namespace policyd
