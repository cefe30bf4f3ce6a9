// An attempt for the greylist: times as by default, a client let through after 5 messages.
#pragma once

#include "policyd/store/store.h"

namespace policyd::test {

inline GreylistAttempt greylist_attempt() {
  GreylistAttempt attempt;
  attempt.client = "192.0.2.0/24";
  attempt.sender = "ann@example.org";
  attempt.recipient = "bob@example.com";
  attempt.block = std::chrono::minutes(4);
  attempt.pass = std::chrono::minutes(360);
  attempt.record = std::chrono::hours(24 * 36);
  attempt.auto_allow = 5;
  return attempt;
}

}  // namespace policyd::test
