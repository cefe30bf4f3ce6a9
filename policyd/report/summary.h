// Reports: what the figures of many hours and all nodes come to. Pure.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "policyd/report/figures.h"
#include "shared/check_spec.h"
#include "shared/clock.h"

namespace policyd {

// Mail of senders that were unknown: `begun` first attempts, of which some passed, some still can (`waiting`), and the
// others never came back in time.
struct GreylistSum {
  std::string name;  // a client, or a recipient's domain; empty: all of them
  int64_t attempts = 0, begun = 0, passed = 0, waiting = 0, never = 0;
  int64_t at_once = 0;  // beside these: let through without waiting
};

// A sum for each name, those with the most attempts first and kOther last. `pass` is how long after its first attempt
// mail can pass: who began in an hour that lies further back, to its end, does not come any more.
std::vector<GreylistSum> sum_greylist(const ReportHours& hours, WallTime now, Milliseconds pass);
GreylistSum total_greylist(const ReportHours& hours, WallTime now, Milliseconds pass);

struct CheckSum {
  std::string name;  // "spf"; of an outcome "fail", of a zone "zen.spamhaus.org"
  int64_t requests = 0, hits = 0, decided = 0, errors = 0;  // outcomes have no errors, and their check's requests
  std::optional<double> median;  // ms, of those that had to wait for the DNS
  std::vector<CheckSum> outcomes, zones;
  // Of the requests, those with a hit; 0 where there are none.
  [[nodiscard]] double share() const;
};

// The checks in the order of `specs`, then those that other nodes have; outcomes in the order of their spec, where
// there are several, zones by name.
std::vector<CheckSum> sum_checks(const ReportHours& hours, const std::vector<CheckSpec>& specs);

}  // namespace policyd
