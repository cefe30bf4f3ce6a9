// Locks that tests ask for.
#pragma once

#include <chrono>
#include <string>
#include <utility>

#include "policyd/locks/lock_rules.h"

namespace policyd::test {

// As policyd asks for one at a sign: for an hour, and without an end after two unlocks.
inline LockRequest lock_for_a_sign(std::string account, std::string reason = "distinct_recipients") {
  LockRequest request;
  request.account = std::move(account);
  request.reason = std::move(reason);
  request.evidence = "distinct_recipients 501 in 1d, limit 500/1d";
  request.by = kPolicydItself;
  request.node = "mx1";
  request.lock_time = std::chrono::hours(1);
  request.max_unlocks = 2;
  request.at_all_costs = true;
  return request;
}

// As a person asks for one: until it is lifted.
inline LockRequest lock_by_hand(std::string account, std::string reason = "phished") {
  LockRequest request;
  request.account = std::move(account);
  request.reason = std::move(reason);
  request.by = "ann";
  request.node = "mx1";
  return request;
}

}  // namespace policyd::test
