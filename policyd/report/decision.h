// Which findings a verdict hangs on: those without which its action would have been milder.
//
// Of a verdict that the checks made: by a check that blocks, by a threshold of the score, or, where greylisting begins
// at a score, by that. Two findings that are enough each on their own do not decide; two of which both are needed both
// do. Pure.
#pragma once

#include <functional>

#include "policyd/verdict.h"
#include "shared/config.h"

namespace policyd {

class Decision {
 public:
  // Both outlive it; the configuration is the one that the verdict was made with.
  Decision(const Verdict& verdict, const Config& config) : verdict_(verdict), config_(config) {}

  // Whether the checks had a say in it at all.
  [[nodiscard]] bool by_findings() const;
  // Whether the action would have been milder without the findings that `of` tells.
  [[nodiscard]] bool hangs_on(const std::function<bool(const Finding&)>& of) const;

 private:
  const Verdict& verdict_;
  const Config& config_;
};

}  // namespace policyd
