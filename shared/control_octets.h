// The control octets of ASCII (C0 and DEL), which no name and no line of text should hold. Pure.
#pragma once

#include <algorithm>
#include <cstdint>
#include <string_view>

namespace policyd {

constexpr bool is_control(char c) { return static_cast<uint8_t>(c) < 0x20 || c == 0x7f; }

constexpr bool holds_control(std::string_view text) { return std::any_of(text.begin(), text.end(), is_control); }

}  // namespace policyd
