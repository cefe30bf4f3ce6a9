// What one worker has counted for reports since it was last drained: checks, their outcomes and zones, and greylisting.
//
// Counting costs a decision next to nothing: rows of checks and zones are found by number, and nothing is allocated
// once a row is there. Of a request that was answered from a recent decision nothing is counted. One thread, no clock.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "policyd/report/figures.h"
#include "policyd/report/greylist_tally.h"
#include "policyd/report/histogram.h"
#include "policyd/verdict.h"
#include "shared/clock.h"
#include "shared/config.h"

namespace policyd {

class Decision;
class ReportTable;
class Zone;

class Tally {
 public:
  Tally();
  Tally(const Tally&) = delete;
  Tally& operator=(const Tally&) = delete;

  // A verdict that a request was given, and the configuration it was made with. `recipient` in lower case.
  void count(const Verdict& verdict, const Config& config, std::string_view recipient);
  // How long a check took that had to wait for the DNS; `check` as in check_table().
  void took(size_t check, Milliseconds time) { checks_[check].times.add(time); }
  // What came of asking a zone for a request: whether it could tell, and how long the DNS took, where that was asked.
  struct ZoneAsked {
    bool failed = false;
    std::optional<Milliseconds> took;
  };
  void asked(const Zone& zone, const ZoneAsked& asked);
  // Zones that need not be asked for another request, because it is known of late what they say.
  void recalled(const std::vector<uint32_t>& zones) {
    for (const uint32_t zone : zones) ++zones_[zone].requests;
  }

  // Adds all that was counted to `table`, and begins anew.
  void drain(WallTime now, ReportTable& table);

 private:
  struct Outcome {
    int64_t hits = 0, decided = 0;
  };
  struct Row {
    int64_t requests = 0, hits = 0, decided = 0, errors = 0;
    Histogram times;
  };
  struct Check : Row {
    std::vector<Outcome> outcomes;  // as in its spec
  };
  struct ZoneRow : Row {
    std::string name;  // "dnsbl:zen.spamhaus.org"; empty: not asked yet
  };

  void count_findings(const Verdict& verdict, const Decision& decision);

  std::vector<Check> checks_;   // as in check_table()
  std::vector<ZoneRow> zones_;  // by the zone's number
  GreylistTally greylist_;
};

}  // namespace policyd
