// SipHash-2-4 with 128 bits of output (Aumasson and Bernstein, "SipHash: a fast short-input PRF", 2012, and its
// reference implementation's test vectors).
//
// A keyed hash: who does not know the key can neither make two texts collide nor find one that has a given hash. Pure.
#pragma once

#include <bit>
#include <cstdint>
#include <cstring>
#include <string_view>

namespace policyd {

struct SipKey {
  uint64_t first = 0, second = 0;
};

struct SipDigest {
  uint64_t low = 0, high = 0;
  bool operator==(const SipDigest&) const = default;
};

namespace detail {

struct SipState {
  uint64_t v0, v1, v2, v3;

  void round() {
    v0 += v1, v2 += v3;
    v1 = std::rotl(v1, 13) ^ v0, v3 = std::rotl(v3, 16) ^ v2;
    v0 = std::rotl(v0, 32);
    v2 += v1, v0 += v3;
    v1 = std::rotl(v1, 17) ^ v2, v3 = std::rotl(v3, 21) ^ v0;
    v2 = std::rotl(v2, 32);
  }
  void absorb(uint64_t word) {
    v3 ^= word;
    round(), round();
    v0 ^= word;
  }
  uint64_t squeeze() {
    round(), round(), round(), round();
    return v0 ^ v1 ^ v2 ^ v3;
  }
};

}  // namespace detail

inline SipDigest siphash(const SipKey& key, std::string_view text) {
  static_assert(std::endian::native == std::endian::little, "words are read as they stand in memory");
  detail::SipState state{key.first ^ 0x736f6d6570736575, key.second ^ 0x646f72616e646f6d ^ 0xee,
                         key.first ^ 0x6c7967656e657261, key.second ^ 0x7465646279746573};
  uint64_t last = uint64_t{text.size()} << 56;
  for (; text.size() >= sizeof(uint64_t); text.remove_prefix(sizeof(uint64_t))) {
    uint64_t word;
    std::memcpy(&word, text.data(), sizeof word);
    state.absorb(word);
  }
  for (size_t i = 0; i < text.size(); ++i) last |= uint64_t{static_cast<uint8_t>(text[i])} << (8 * i);
  state.absorb(last);
  SipDigest digest;
  state.v2 ^= 0xee;
  digest.low = state.squeeze();
  state.v1 ^= 0xdd;
  digest.high = state.squeeze();
  return digest;
}

}  // namespace policyd
