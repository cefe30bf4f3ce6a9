#include "policyd/dnsbl/zones.h"

#include <algorithm>
#include <numeric>
#include <unordered_map>

namespace policyd {

namespace {

// The first of the entries that has one.
std::string label_of(const std::vector<ZoneSettings>& entries) {
  for (const ZoneSettings& entry : entries) {
    if (!entry.label.empty()) return entry.label;
  }
  return {};
}

// The entries of a check by zone, in the order of the zones' first entries.
class Groups {
 public:
  void add(const std::shared_ptr<Zone>& zone, const ZoneSettings& entry) {
    const auto [place, fresh] = places_.emplace(zone.get(), groups_->size());
    if (fresh) groups_->push_back({zone, {}});
    (*groups_)[place->second].entries.push_back(entry);
  }
  std::shared_ptr<const ZoneGroups> take() { return std::move(groups_); }

 private:
  std::shared_ptr<ZoneGroups> groups_ = std::make_shared<ZoneGroups>();
  std::unordered_map<const Zone*, size_t> places_;
};

}  // namespace

void Zones::reconfigure(const Config& config) {
  // What takes nearly as long as a look-up or a request may is as bad as no answer.
  const Milliseconds slow = std::min(config.dns.timeout, config.server.deadline / 2) * 3 / 4;
  ByName known, used;
  for (const auto& zone : zones_) known.emplace(std::pair(zone->kind(), zone->name()), zone);
  zones_.clear();
  checks_.clear();
  for (const auto& [check, settings] : config.checks) {
    if (settings.zone_kind == ZoneKind::none) continue;
    Groups groups;
    for (const ZoneSettings& entry : settings.zones) {
      if (entry.weights[0] == 0 && entry.weights[1] == 0) continue;
      const auto [place, fresh] = used.try_emplace({settings.zone_kind, entry.zone});
      if (fresh) zones_.push_back(place->second = zone_of(known, settings.zone_kind, entry.zone));
      groups.add(place->second, entry);
    }
    checks_.emplace_back(check, groups.take());
    for (const ZoneGroup& group : *checks_.back().second) group.zone->configure(label_of(group.entries), slow);
  }
}

std::shared_ptr<Zone> Zones::zone_of(const ByName& known, ZoneKind kind, const std::string& name) {
  const auto found = known.find({kind, name});
  if (found != known.end()) return found->second;
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
