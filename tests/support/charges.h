// Charges as tests make them, and how a store is asked for many side by side.
#pragma once

#include <doctest/doctest.h>

#include <algorithm>
#include <string_view>
#include <utility>
#include <vector>

#include "policyd/async/gather.h"
#include "policyd/store/store.h"
#include "tests/support/run_task.h"

namespace policyd::test {

// RCPT. A Charge is a view: all that is given outlives it; `limits` may be null where whoever counts has its own.
inline Charge recipient_charge(std::string_view account, std::string_view instance, std::string_view recipient,
                               int64_t bytes = 0, const Limits* limits = nullptr) {
  Charge charge;
  charge.account = account;
  charge.instance = instance;
  charge.recipient = recipient;
  charge.bytes = bytes;
  charge.limits = limits;
  return charge;
}

// DATA: what was accepted of the message.
inline Charge settle_charge(std::string_view account, std::string_view instance, int64_t recipients, int64_t bytes = 0,
                            const Limits* limits = nullptr) {
  Charge charge = recipient_charge(account, instance, {}, bytes, limits);
  charge.kind = Charge::Kind::settle;
  charge.recipients = recipients;
  return charge;
}

// The results in the order of the charges; all are started before any is waited for.
inline std::vector<ChargeResult> charge_side_by_side(TestLoop& loop, Store& store, const std::vector<Charge>& charges) {
  std::vector<Task<ChargeResult>> tasks;
  for (const Charge& charge : charges) tasks.push_back(store.charge(charge));
  std::vector<ChargeResult> results;
  for (const auto& result : loop.run(gather(loop, std::move(tasks), Milliseconds{25'000}))) {
    REQUIRE(result.has_value());
    results.push_back(*result);
  }
  return results;
}

// How many were decided on this node alone.
inline size_t local(const std::vector<ChargeResult>& results) {
  const auto is_local = [](const ChargeResult& one) { return one.local; };
  return static_cast<size_t>(std::count_if(results.begin(), results.end(), is_local));
}
inline bool all_passed(const std::vector<ChargeResult>& results) {
  return std::all_of(results.begin(), results.end(), [](const ChargeResult& one) { return one.passed; });
}

}  // namespace policyd::test
