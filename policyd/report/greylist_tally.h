// What one worker has counted of greylisting since it was last drained: by client, and by the recipient's domain.
//
// A first attempt, its early retries and the attempt that passes are all credited to the hour of the first one, by the
// store's clock: so those that have begun in an hour, and of them those that have passed, belong together on whatever
// nodes they were seen. Left out are dry runs, who nobody had to come back from, and what the store could not say.
// Bounded: kNames of each kind, beyond them kOther. One thread, no clock.
#pragma once

#include <array>
#include <map>
#include <string_view>
#include <unordered_map>

#include "policyd/report/figures.h"
#include "policyd/verdict.h"

namespace policyd {

class ReportTable;

class GreylistTally {
 public:
  static constexpr size_t kNames = 2048;
  static constexpr std::string_view kNoDomain = "(no domain)";

  GreylistTally() = default;
  GreylistTally(const GreylistTally&) = delete;
  GreylistTally& operator=(const GreylistTally&) = delete;

  // `recipient`: an address in lower case.
  void count(const Greylisting& greylisting, std::string_view recipient);
  // Adds all that was counted to `table`, and begins anew.
  void drain(WallTime now, ReportTable& table);

 private:
  using Counts = std::array<int64_t, greylist_figure::at_once + 1>;
  // Who was counted once stays, at zero, so that counting him again allocates nothing.
  using Names = std::unordered_map<std::string, Counts, StringHash, std::equal_to<>>;
  // By the start of the hour; kAtOnce: of what has no first attempt.
  struct ByHour {
    std::map<WallTime, Names> hours;
    size_t names = 0;
  };
  static constexpr WallTime kAtOnce{};

  static Counts& counts_of(ByHour& of, WallTime hour, std::string_view name);
  static void drain(ByHour& of, ReportKind kind, WallTime now, ReportTable& table);

  ByHour clients_, recipients_;
};

}  // namespace policyd
