// How policyctl ends; scripts are written against these numbers.
#pragma once

namespace policyd {

enum ExitCode : int {
  kDone = 0,
  kRefused = 1,  // refused, or not found
  kUsage = 2,
  kUnreachable = 69,  // EX_UNAVAILABLE of sysexits.h
};

}  // namespace policyd
