// The two times: wall time (counters, expiry, logs) and steady time (deadlines, time-outs).
//
// Whoever needs a time takes a Clock, so that tests can turn the hands. Both are read in milliseconds.
#pragma once

#include <chrono>

namespace policyd {

using Milliseconds = std::chrono::milliseconds;
using WallTime = std::chrono::time_point<std::chrono::system_clock, Milliseconds>;
using SteadyTime = std::chrono::time_point<std::chrono::steady_clock, Milliseconds>;

class Clock {
 public:
  virtual ~Clock() = default;
  [[nodiscard]] virtual WallTime wall() const = 0;
  [[nodiscard]] virtual SteadyTime steady() const = 0;
};

class SystemClock final : public Clock {
 public:
  [[nodiscard]] WallTime wall() const override {
    return std::chrono::time_point_cast<Milliseconds>(std::chrono::system_clock::now());
  }
  [[nodiscard]] SteadyTime steady() const override {
    return std::chrono::time_point_cast<Milliseconds>(std::chrono::steady_clock::now());
  }
};

}  // namespace policyd
