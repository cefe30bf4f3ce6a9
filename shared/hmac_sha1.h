// HMAC-SHA1 (RFC 2104), as BATV signs addresses. Pure; the only place that sees the library that computes it.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

namespace policyd {

std::array<uint8_t, 20> hmac_sha1(std::string_view key, std::string_view text);

}  // namespace policyd
