// A clock whose hands a test turns: both times start at a fixed point and move by advance() alone.
#pragma once

#include "shared/clock.h"

namespace policyd::test {

class FakeClock final : public Clock {
 public:
  // 2026-11-21T10:00:00Z; a test that shares a real Redis starts at the real time.
  static constexpr WallTime kStart{Milliseconds{1'795'255'200'000}};

  explicit FakeClock(WallTime start = kStart) : wall_(start) {}

  [[nodiscard]] WallTime wall() const override { return wall_; }
  [[nodiscard]] SteadyTime steady() const override { return steady_; }

  void advance(Milliseconds by) {
    wall_ += by;
    steady_ += by;
  }
  // The wall clock alone, as when a machine's time is set.
  void set_wall(WallTime wall) { wall_ = wall; }

 private:
  WallTime wall_;
  SteadyTime steady_{Milliseconds{1'000'000}};
};

}  // namespace policyd::test
