// One zone of DNS lists: whether it can be relied on.
//
// Look-ups report how they went. Several that failed, were slow or were answered with an error, with none between them
// that went well, suspend the zone: it is not asked any more, and mail is judged without it. The test points of RFC
// 5782 are looked up at the start, from time to time, and soon after trouble; a zone that fails this test is suspended
// at once, and a suspended one that passes it comes back. A zone without test points, as private ones often are, is as
// good as any: what counts is what it must not do. One line is logged when a zone is suspended and one when it is back.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <string_view>

#include "policyd/async/task.h"
#include "policyd/dns/resolver.h"
#include "policyd/dnsbl/answers.h"
#include "shared/clock.h"
#include "shared/dns_zone.h"

namespace policyd {

struct ZoneStatus {
  ZoneKind kind = ZoneKind::addresses;
  std::string zone;
  std::string label;
  bool suspended = false;
  std::string detail;  // why it is suspended
  WallTime since{};    // suspended, or tested well for the first time
  bool tested = false;
  bool test_points = false;  // it has the entry that every list should have
  uint64_t lookups = 0;
  uint64_t listings = 0;
  uint64_t errors = 0;
};

class Zone {
 public:
  // Both outlive the zone.
  Zone(Resolver& resolver, const Clock& clock, uint32_t number, ZoneKind kind, std::string name);
  Zone(const Zone&) = delete;
  Zone& operator=(const Zone&) = delete;

  // Tells it from all others that there are and were.
  [[nodiscard]] uint32_t number() const { return number_; }
  [[nodiscard]] const std::string& name() const { return status_.zone; }
  [[nodiscard]] ZoneKind kind() const { return status_.kind; }
  [[nodiscard]] bool suspended() const { return status_.suspended; }
  // Until its first test has ended it might list everybody, and once it is suspended so might what is still on its way:
  // what it says then is not held against anybody.
  [[nodiscard]] bool trusted() const { return status_.tested && !status_.suspended; }
  // How often it was suspended and came back.
  [[nodiscard]] uint32_t turns() const { return turns_; }
  [[nodiscard]] const ZoneStatus& status() const { return status_; }
  // What people know it by: the label, else its name.
  [[nodiscard]] const std::string& shown() const { return status_.label.empty() ? status_.zone : status_.label; }

  // What may change with the configuration. `slow`: a look-up that takes as long counts as trouble.
  void configure(std::string label, Milliseconds slow);

  // How a look-up went.
  void went_well(bool listed);
  void went_wrong(std::string_view why);  // trouble, counted towards a suspension
  void could_not_ask();                   // an error that is no fault of the zone's: counted, and a reason to test it
  [[nodiscard]] bool is_slow(Milliseconds took) const { return took >= slow_; }
  [[nodiscard]] std::string slow_text(Milliseconds took) const;

  // Starts the test where it is due. Called about every second.
  void tick();

 private:
  Task<void> test();
  Task<std::optional<std::string>> test_pair(TestPoints points);
  void suspend(std::string_view why);
  void come_back();
  void test_within(Milliseconds delay);
  Milliseconds jittered(Milliseconds delay);

  Resolver& resolver_;
  const Clock& clock_;
  const uint32_t number_;
  ZoneStatus status_;
  Milliseconds slow_{};
  uint32_t turns_ = 0;
  int in_a_row_ = 0;      // troubles
  Milliseconds pause_{};  // between tests while suspended
  SteadyTime test_at_;
  std::optional<SteadyTime> back_at_;
  std::minstd_rand jitter_;
  std::optional<Task<void>> testing_;
};

}  // namespace policyd
