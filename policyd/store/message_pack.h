// The little of MessagePack (https://msgpack.org) that counters and limits need: arrays of whole numbers, as Redis' cmsgpack reads and
// writes them. Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "policyd/store/sliding_window.h"
#include "shared/limits.h"

namespace policyd {

// [meter, maximum, window in ms, ...]: what the charge script takes.
std::string pack_limits(const Limits& limits);

// What the charge script keeps of an account: an array of counters, each [meter, window in ms, total, bucket, count, ...]. Nothing where the
// text is no such thing; no text is no counters.
std::optional<Counters> unpack_counters(std::string_view text);

}  // namespace policyd
