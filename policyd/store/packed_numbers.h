// Rows of whole numbers as the charge script keeps and takes them: 8 octets each, an IEEE 754 double, little-endian (Lua's own
// kind of number, exact up to 2^53). Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "policyd/store/sliding_window.h"
#include "shared/limits.h"

namespace policyd {

// meter, maximum and window in ms of each limit.
std::string pack_limits(const Limits& limits);

// What the script keeps of an account: for each counter meter, window in ms, total, number of buckets, then bucket and count of each. Nothing
// where the octets are no such thing; no octets are no counters.
std::optional<Counters> unpack_counters(std::string_view octets);

}  // namespace policyd
