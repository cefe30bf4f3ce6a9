#include "shared/charged_name.h"

#include <cstdint>

#include "shared/hmac_sha1.h"
#include "shared/text.h"

namespace policyd {
namespace {

constexpr size_t kKept = 512;
constexpr size_t kLongestDomain = 255;  // RFC 5321, 4.5.3.1.2

// The first `most` octets of `text`, and no part of a UTF-8 character at their end.
std::string_view first(std::string_view text, size_t most) {
  const auto continues = [text](size_t at) { return (static_cast<uint8_t>(text[at]) & 0xc0) == 0x80; };
  size_t end = most;
  while (end + 4 > most && continues(end)) --end;
  return text.substr(0, continues(end) ? most : end);
}

}  // namespace

std::string charged_name(std::string_view name) {
  constexpr std::string_view kHex = "0123456789abcdef";
  if (name.size() <= kLongestAccountName) return std::string(name);
  std::string charged(first(name, kKept));
  charged += '~';
  for (const uint8_t octet : hmac_sha1("account", name)) charged += {kHex[octet >> 4], kHex[octet & 0x0f]};
  const std::string_view domain = domain_of(name);
  if (!domain.empty() && domain.size() <= kLongestDomain) charged.append("@").append(domain);
  return charged;
}

}  // namespace policyd
