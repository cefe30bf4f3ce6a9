// Charges as tests make them, and how a store is asked for many side by side.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "policyd/store/store.h"
#include "tests/support/run_task.h"

namespace policyd::test {

// RCPT. A Charge is a view: all that is given outlives it; `limits` may be null where whoever counts has its own.
Charge recipient_charge(std::string_view account, std::string_view instance, std::string_view recipient,
                        int64_t bytes = 0, const Limits* limits = nullptr);

// DATA: what was accepted of the message.
Charge settle_charge(std::string_view account, std::string_view instance, int64_t recipients, int64_t bytes = 0,
                     const Limits* limits = nullptr);

// The results in the order of the charges; all are started before any is waited for.
std::vector<ChargeResult> charge_side_by_side(TestLoop& loop, Store& store, const std::vector<Charge>& charges);

// How many were decided on this node alone.
size_t local(const std::vector<ChargeResult>& results);
bool all_passed(const std::vector<ChargeResult>& results);

}  // namespace policyd::test
