#include "tests/support/charges.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <utility>

#include "policyd/async/gather.h"

namespace policyd::test {

Charge recipient_charge(std::string_view account, std::string_view instance, std::string_view recipient, int64_t bytes,
                        const Limits* limits) {
  Charge charge;
  charge.account = account;
  charge.instance = instance;
  charge.recipient = recipient;
  charge.bytes = bytes;
  charge.limits = limits;
  return charge;
}

Charge settle_charge(std::string_view account, std::string_view instance, int64_t recipients, int64_t bytes,
                     const Limits* limits) {
  Charge charge = recipient_charge(account, instance, {}, bytes, limits);
  charge.kind = Charge::Kind::settle;
  charge.recipients = recipients;
  return charge;
}

std::vector<ChargeResult> charge_side_by_side(TestLoop& loop, Store& store, const std::vector<Charge>& charges) {
  std::vector<Task<ChargeResult>> tasks;
  for (const Charge& charge : charges) tasks.push_back(store.charge(charge));
  std::vector<ChargeResult> results;
  for (const auto& result : loop.run(gather(loop, std::move(tasks), Milliseconds{25'000}))) {
    REQUIRE(result.has_value());
    results.push_back(*result);
  }
  return results;
}

size_t local(const std::vector<ChargeResult>& results) {
  const auto is_local = [](const ChargeResult& one) { return one.local; };
  return static_cast<size_t>(std::count_if(results.begin(), results.end(), is_local));
}

bool all_passed(const std::vector<ChargeResult>& results) {
  return std::all_of(results.begin(), results.end(), [](const ChargeResult& one) { return one.passed; });
}

}  // namespace policyd::test
