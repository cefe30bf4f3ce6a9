#include "policyd/dnsbl/zones.h"

#include <algorithm>
#include <numeric>

namespace policyd {

namespace {

// The first of the entries that has one.
std::string label_of(const std::vector<ZoneSettings>& entries) {
  for (const ZoneSettings& entry : entries) {
    if (!entry.label.empty()) return entry.label;
  }
  return {};
}

ZoneGroup& group_of(ZoneGroups& groups, const std::shared_ptr<Zone>& zone) {
  const auto found =
      std::find_if(groups.begin(), groups.end(), [&zone](const ZoneGroup& group) { return group.zone == zone; });
  return found != groups.end() ? *found : groups.emplace_back(ZoneGroup{zone, {}});
}

}  // namespace

void Zones::reconfigure(const Config& config) {
  // What takes nearly as long as a look-up or a request may is as bad as no answer.
  const Milliseconds slow = std::min(config.dns.timeout, config.server.deadline / 2) * 3 / 4;
  std::vector<std::shared_ptr<Zone>> used;
  checks_.clear();
  for (const auto& [check, settings] : config.checks) {
    if (settings.zone_kind == ZoneKind::none) continue;
    auto groups = std::make_shared<ZoneGroups>();
    for (const ZoneSettings& entry : settings.zones) {
      if (entry.weights[0] == 0 && entry.weights[1] == 0) continue;
      auto zone = zone_of(settings.zone_kind, entry.zone);
      if (std::find(zones_.begin(), zones_.end(), zone) == zones_.end()) zones_.push_back(zone);
      if (std::find(used.begin(), used.end(), zone) == used.end()) used.push_back(zone);
      group_of(*groups, zone).entries.push_back(entry);
    }
    for (const ZoneGroup& group : *groups) group.zone->configure(label_of(group.entries), slow);
    checks_.emplace_back(check, std::move(groups));
  }
  zones_ = std::move(used);
}

std::shared_ptr<Zone> Zones::zone_of(ZoneKind kind, const std::string& name) {
  for (const auto& zone : zones_) {
    if (zone->kind() == kind && zone->name() == name) return zone;
  }
  return std::make_shared<Zone>(resolver_, clock_, numbers_++, kind, name);
}

void Zones::tick() {
  for (const auto& zone : zones_) zone->tick();
}

std::shared_ptr<const ZoneGroups> Zones::of(std::string_view check) const {
  for (const auto& [name, groups] : checks_) {
    if (name == check) return groups;
  }
  return nullptr;
}

uint64_t Zones::turns() const {
  return std::accumulate(zones_.begin(), zones_.end(), uint64_t{0},
                         [](uint64_t sum, const auto& zone) { return sum + zone->turns(); });
}

std::vector<ZoneStatus> Zones::status() const {
  std::vector<ZoneStatus> all;
  for (const auto& zone : zones_) all.push_back(zone->status());
  return all;
}

}  // namespace policyd
