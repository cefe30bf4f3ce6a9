#include "shared/batv.h"

#include <fmt/format.h>

#include "shared/hmac_sha1.h"
#include "shared/text.h"

namespace policyd {

namespace {

constexpr std::string_view kPrefix = "prvs=";
constexpr size_t kStamp = 4;
constexpr size_t kSignature = 6;
constexpr int kDays = 1000;

bool all_digits(std::string_view text) { return text.find_first_not_of("0123456789") == std::string_view::npos; }

}  // namespace

Result<BatvKey> BatvKey::parse(std::string_view text) {
  if (text.size() < 3 || !is_digit(text[0]) || text[1] != ':') {
    return Error{"is not a key: a digit, a colon and what is signed with are needed, as in \"1:SECRET\""};
  }
  return BatvKey{text[0], std::string(text.substr(2))};
}

int BatvTag::day() const { return (stamp[1] - '0') * 100 + (stamp[2] - '0') * 10 + (stamp[3] - '0'); }

bool has_batv_prefix(std::string_view address) { return to_lower(address.substr(0, kPrefix.size())) == kPrefix; }

std::optional<BatvTag> parse_batv_tag(std::string_view address) {
  constexpr size_t kEnd = kPrefix.size() + kStamp + kSignature;
  if (!has_batv_prefix(address) || address.size() <= kEnd + 1 || address[kEnd] != '=') return std::nullopt;
  const BatvTag tag{address.substr(kPrefix.size(), kStamp), address.substr(kPrefix.size() + kStamp, kSignature),
                    address.substr(kEnd + 1)};
  if (!all_digits(tag.stamp) || !is_hex(tag.signature)) return std::nullopt;
  return tag;
}

std::string batv_signature(std::string_view secret, std::string_view stamp, std::string_view address) {
  const auto digest = hmac_sha1(secret, std::string(stamp).append(address));
  return fmt::format("{:02x}{:02x}{:02x}", digest[0], digest[1], digest[2]);
}

int batv_days_left(int day, WallTime now, Milliseconds lifetime) {
  using Days = std::chrono::days;
  const auto today = static_cast<int>(std::chrono::floor<Days>(now).time_since_epoch().count() % kDays);
  const auto most = static_cast<int>(std::chrono::floor<Days>(lifetime).count());
  const int left = (day - today + kDays) % kDays;
  return left <= most ? left : left - kDays;
}

}  // namespace policyd
