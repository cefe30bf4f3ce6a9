// What checks have found of late, so that the next request with the same client, names and sender need not ask again.
//
// A message has many recipients, a client many messages: what a check says of them does not change from one moment to
// the next. An observation is found by the check, the direction and a hash of everything of a request that the check
// looks at (CheckRow::inputs), and holds for kHolds; the seed of the hash is this process's secret, as clients choose
// most of what is hashed. What could not be done is not remembered, nor what holds for one request only. Bounded: of
// those that share a set (recent_table.h) the oldest go first. Takes the time as an argument.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <memory>

#include "policyd/checks/check.h"
#include "policyd/recent_table.h"
#include "shared/clock.h"
#include "shared/request.h"

namespace policyd {

using ObservationPtr = std::shared_ptr<const Observation>;

class RecentObservations {
 public:
  static constexpr size_t kEntries = 32 * 1024;
  static constexpr Milliseconds kHolds = std::chrono::seconds{10};

  explicit RecentObservations(uint64_t seed = random_seed()) : seed_(seed) {}

  struct Inputs {
    std::array<uint64_t, kCheckInputs> hashes{};  // by CheckInput
    uint64_t turns = 0;
  };
  // `turns`: Zones::turns(), so that nothing is used again that a list said before it was found out.
  [[nodiscard]] Inputs inputs_of(const Request& request, uint64_t turns) const;

  using Key = uint64_t;
  // `check`: its place in check_table().
  [[nodiscard]] Key key_of(size_t check, Direction direction, const Inputs& inputs) const;

  // Null where there is none that still holds.
  [[nodiscard]] ObservationPtr find(Key key, SteadyTime now) const;
  void remember(Key key, ObservationPtr observation, SteadyTime now);
  void clear() { observations_.clear(); }

 private:
  static constexpr size_t kWays = 8;
  struct Remembered {
    ObservationPtr observation;
    SteadyTime until;
  };
  uint64_t seed_;
  RecentTable<Remembered, kEntries / kWays, kWays> observations_;
};

}  // namespace policyd
