#include "shared/hmac_sha1.h"

#include <nettle/hmac.h>

namespace policyd {

namespace {

const uint8_t* octets(std::string_view text) { return reinterpret_cast<const uint8_t*>(text.data()); }

}  // namespace

std::array<uint8_t, 20> hmac_sha1(std::string_view key, std::string_view text) {
  hmac_sha1_ctx context;
  hmac_sha1_set_key(&context, key.size(), octets(key));
  hmac_sha1_update(&context, text.size(), octets(text));
  std::array<uint8_t, 20> digest{};
  hmac_sha1_digest(&context, digest.size(), digest.data());
  return digest;
}

}  // namespace policyd
