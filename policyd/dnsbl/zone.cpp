#include "policyd/dnsbl/zone.h"

#include <algorithm>
#include <functional>

#include "shared/log_line.h"

namespace policyd {

namespace {

using namespace std::chrono_literals;

constexpr int kTroubles = 3;
constexpr Milliseconds kTestPeriod = 10min;
constexpr Milliseconds kSoon = 1s;
constexpr Milliseconds kShortestPause = 5s;
constexpr Milliseconds kLongestPause = 10min;

}  // namespace

Zone::Zone(Resolver& resolver, const Clock& clock, uint32_t number, ZoneKind kind, std::string name)
    : resolver_(resolver),
      clock_(clock),
      number_(number),
      test_at_(clock.steady()),
      jitter_(static_cast<unsigned>(std::hash<std::string>{}(name))) {
  status_.kind = kind;
  status_.zone = std::move(name);
}

void Zone::configure(std::string label, Milliseconds slow) {
  status_.label = std::move(label);
  slow_ = slow;
}

void Zone::went_well(bool listed) {
  ++status_.lookups;
  if (listed) ++status_.listings;
  in_a_row_ = 0;
}

void Zone::went_wrong(std::string_view why) {
  ++status_.lookups;
  ++status_.errors;
  if (suspended()) return;
  if (++in_a_row_ >= kTroubles) return suspend(why);
  test_within(kSoon);
}

void Zone::could_not_ask() {
  ++status_.lookups;
  ++status_.errors;
  if (!suspended()) test_within(kSoon);
}

std::string Zone::slow_text(Milliseconds took) const {
  return "an answer took " + std::to_string(took.count()) + "ms";
}

void Zone::tick() {
  if (testing_ && testing_->done()) testing_.reset();
  if (testing_ || clock_.steady() < test_at_) return;
  test_at_ = clock_.steady() + jittered(kTestPeriod);
  testing_.emplace(test());
  testing_->start();
}

Task<void> Zone::test() {
  TestPoints points = test_points(kind());
  const auto first = test_pair(std::move(points));
  std::optional<std::string> why = co_await first;
  if (why && why->empty() && kind() == ZoneKind::addresses && !status_.test_points) {
    TestPoints points_v6 = test_points_v6();  // a list of IPv6 addresses alone
    const auto second = test_pair(std::move(points_v6));
    why = co_await second;
  }
  if (!why) {
    test_within(jittered(kShortestPause));
    co_return;
  }
  if (!why->empty()) {
    suspend(*why);
  } else if (suspended()) {
    come_back();
  } else if (!status_.tested) {
    status_.since = clock_.wall();
    if (!status_.test_points) {
      log_info("DNS list {}: has no test points (RFC 5782), as private lists often have none; is its name right?",
               shown());
    }
  }
  status_.tested = true;
}

// What is wrong; empty: nothing. No text at all where it could not be asked, which says nothing of the zone. Notes
// whether the zone has the entry that it should have.
Task<std::optional<std::string>> Zone::test_pair(TestPoints points) {
  static const std::vector<ZoneSettings> kNoEntries;
  const SteadyTime asked = clock_.steady();
  DnsLookup listed = resolver_.query_afresh(points.listed + "." + name(), DnsType::a);
  DnsLookup unlisted = resolver_.query_afresh(points.unlisted + "." + name(), DnsType::a);
  const DnsAnswerPtr yes = co_await listed;
  const DnsAnswerPtr no = co_await unlisted;
  if (yes->status == DnsStatus::overloaded || no->status == DnsStatus::overloaded) co_return std::nullopt;
  const Milliseconds took = clock_.steady() - asked;
  const Judgement good = judge(*yes, kind(), kNoEntries);
  const Judgement bad = judge(*no, kind(), kNoEntries);
  status_.test_points = good.kind == Judgement::Kind::listed;
  if (!good.why.empty()) co_return good.why;
  if (!bad.why.empty()) co_return bad.why;
  if (bad.kind == Judgement::Kind::listed) {
    co_return std::string("lists ").append(points.unlisted_name) + ", which no list may: it would list everybody";
  }
  co_return is_slow(took) ? slow_text(took) : std::string();
}

void Zone::suspend(std::string_view why) {
  const SteadyTime now = clock_.steady();
  if (suspended()) {
    pause_ = std::min(2 * pause_, kLongestPause);
  } else {
    // Soon after it came back: then it was no better, and is tested less often.
    const bool relapse = back_at_ && now - *back_at_ < kTestPeriod;
    pause_ = relapse ? std::min(2 * pause_, kLongestPause) : kShortestPause;
    status_.suspended = true;
    ++turns_;
    status_.since = clock_.wall();
    log_warning("DNS list {}: suspended: {}; mail is judged without it until it passes its test", shown(), why);
  }
  status_.detail = why;
  in_a_row_ = 0;
  test_at_ = now + jittered(pause_);
}

void Zone::come_back() {
  status_.suspended = false;
  ++turns_;
  status_.since = clock_.wall();
  status_.detail.clear();
  back_at_ = clock_.steady();
  in_a_row_ = 0;
  log_info("DNS list {}: is back", shown());
}

void Zone::test_within(Milliseconds delay) {
  test_at_ = std::min(test_at_, clock_.steady() + delay);
}

// Up to a quarter longer, so that nodes and zones do not keep step.
Milliseconds Zone::jittered(Milliseconds delay) {
  return delay + Milliseconds(std::uniform_int_distribution<int64_t>(0, delay.count() / 4)(jitter_));
}

}  // namespace policyd
