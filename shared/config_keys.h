// The dotted keys of a TOML document, looked at before the TOML library is given it.
//
// The library makes a table within a table of each part, and takes them down by recursion: some ten thousand parts
// would be more than the stack holds. (Nested arrays and inline tables it limits itself.) Pure; what is no TOML at all
// is left to the library.
#pragma once

#include <optional>
#include <string_view>

#include "shared/config_tree.h"

namespace policyd {

inline constexpr size_t kMostKeyParts = 32;  // `a.b."c.d"` has three

// Where the first key of more parts begins.
std::optional<ConfigPosition> overlong_key(std::string_view toml);

}  // namespace policyd
