#include "policyd/journal/id.h"

#include <algorithm>

#include "shared/text.h"

namespace policyd {

namespace {

constexpr std::string_view kDigits = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
constexpr unsigned kBitsOfDigit = 5;
constexpr size_t kDigitsOfId = 12;
constexpr size_t kGroup = 4;  // digits between two hyphens
constexpr uint64_t kCounterMask = (uint64_t{1} << JournalId::kCounterBits) - 1;
constexpr uint64_t kTimeMask = (uint64_t{1} << (kBitsOfDigit * kDigitsOfId - JournalId::kCounterBits)) - 1;
static_assert(kDigitsOfId + kDigitsOfId / kGroup - 1 == JournalId::kLength);

std::optional<uint64_t> value_of(char c) {
  const char upper = static_cast<char>(is_letter(c) ? c & ~0x20 : c);
  if (upper == 'O') return 0;
  if (upper == 'I' || upper == 'L') return 1;
  const size_t value = kDigits.find(upper);
  return value == std::string_view::npos ? std::nullopt : std::optional<uint64_t>(value);
}

}  // namespace

JournalId::JournalId(WallTime time, uint32_t counter)
    : number_((static_cast<uint64_t>(time.time_since_epoch().count()) & kTimeMask) << kCounterBits |
              (counter & kCounterMask)) {}

JournalId JournalId::of(uint64_t number) {
  JournalId id;
  id.number_ = number;
  return id;
}

std::optional<JournalId> JournalId::parse(std::string_view text) {
  JournalId id;
  size_t digits = 0;
  for (const char c : trim(text)) {
    if (c == '-') continue;
    const auto value = value_of(c);
    if (!value || ++digits > kDigitsOfId) return std::nullopt;
    id.number_ = id.number_ << kBitsOfDigit | *value;
  }
  return digits == kDigitsOfId ? std::optional(id) : std::nullopt;
}

std::string JournalId::to_string() const {
  std::string text;
  text.reserve(kLength);
  for (size_t digit = 0; digit < kDigitsOfId; ++digit) {
    if (digit > 0 && digit % kGroup == 0) text.push_back('-');
    text.push_back(kDigits[number_ >> (kBitsOfDigit * (kDigitsOfId - 1 - digit)) & 31]);
  }
  return text;
}

WallTime JournalId::time() const { return WallTime(Milliseconds(static_cast<int64_t>(number_ >> kCounterBits))); }

std::string with_id(std::string_view text, std::string_view id, size_t room) {
  constexpr std::string_view kCut = "...";
  constexpr size_t kAround = 3;  // " (" and ")"
  const size_t for_text = room - std::min(room, id.size() + kAround);
  std::string whole(text.substr(0, for_text));
  if (text.size() > for_text) {
    const size_t cut = std::min(for_text, kCut.size());
    whole.replace(for_text - cut, cut, kCut.substr(0, cut));
  }
  return whole.append(" (").append(id).append(")");
}

}  // namespace policyd
