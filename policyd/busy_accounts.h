// Which accounts have sent most of late through this node.
//
// A fixed number of accounts is kept, in sets of kWays; one that is new takes the place of the quietest of its set, and
// its figure, so that whoever is busy stays and nobody is underrated (Metwally et al., Space-Saving). Figures halve
// every kHalfLife. So noting a recipient costs the same with a million accounts as with ten. The time is an argument.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "policyd/recent_table.h"  // random_seed()
#include "shared/clock.h"

namespace policyd {

class BusyAccounts {
 public:
  static constexpr size_t kSets = 256;
  static constexpr size_t kWays = 8;
  static constexpr Milliseconds kHalfLife{5 * 60 * 1000};

  // Strangers choose logins: the seed is the process's secret, tests give one.
  explicit BusyAccounts(uint64_t seed = random_seed()) : seed_(seed) {}

  // One more recipient of this account.
  void note(std::string_view account, SteadyTime now);
  // The busiest first, at most `most`.
  [[nodiscard]] std::vector<std::string> busiest(size_t most, SteadyTime now) const;

 private:
  struct Place {
    uint64_t hash = 0;
    double figure = 0;  // as of `at`; 0: free
    SteadyTime at{};
    std::string account;
    [[nodiscard]] double figure_at(SteadyTime now) const;
  };
  uint64_t seed_;
  std::vector<std::array<Place, kWays>> sets_;  // none before the first account
};

}  // namespace policyd
