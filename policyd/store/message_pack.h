// The little of MessagePack (https://msgpack.org) that counters and limits need: flat arrays of whole numbers, as Redis'
// cmsgpack reads and writes them. Pure.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "shared/limits.h"

namespace policyd {

// [meter, maximum, window in ms, ...]: what the charge script takes.
std::string pack_limits(const Limits& limits);

std::string pack_numbers(const std::vector<int64_t>& numbers);
// One element of -1 where the text is not such an array; nothing where it is empty.
std::vector<int64_t> unpack_numbers(std::string_view text);

}  // namespace policyd
