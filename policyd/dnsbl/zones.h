// All zones that are in use, and their health.
//
// One Zone for each zone and kind, however many entries of the configuration name it; a reload keeps what is known of
// those that stay. Checks take the entries of a zone together, so that it is asked once. Nothing here fails.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "policyd/dns/resolver.h"
#include "policyd/dnsbl/zone.h"
#include "shared/clock.h"
#include "shared/config.h"

namespace policyd {

// A zone with the entries of one check that name it.
struct ZoneGroup {
  std::shared_ptr<Zone> zone;
  std::vector<ZoneSettings> entries;
};
using ZoneGroups = std::vector<ZoneGroup>;

class Zones {
 public:
  // Both outlive the zones.
  Zones(Resolver& resolver, const Clock& clock) : resolver_(resolver), clock_(clock) {}

  // Takes the zones of all checks that are applied; those new are tested with the next tick.
  void reconfigure(const Config& config);
  // Starts the tests that are due; to be called about every second.
  void tick();

  // The zones of a check, as of now; a look-up under way keeps them.
  [[nodiscard]] std::shared_ptr<const ZoneGroups> of(std::string_view check) const;
  // Another figure whenever a zone has been suspended or has come back.
  [[nodiscard]] uint64_t turns() const;
  [[nodiscard]] SteadyTime now() const { return clock_.steady(); }
  [[nodiscard]] std::vector<ZoneStatus> status() const;

 private:
  using ByName = std::map<std::pair<ZoneKind, std::string>, std::shared_ptr<Zone>>;
  std::shared_ptr<Zone> zone_of(const ByName& known, ZoneKind kind, const std::string& name);

  Resolver& resolver_;
  const Clock& clock_;
  uint32_t numbers_ = 0;  // given to zones until now
  std::vector<std::shared_ptr<Zone>> zones_;
  std::vector<std::pair<std::string, std::shared_ptr<const ZoneGroups>>> checks_;
};

}  // namespace policyd
