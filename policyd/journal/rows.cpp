#include "policyd/journal/rows.h"

#include <algorithm>
#include <charconv>

namespace policyd {

namespace {

std::optional<uint64_t> number_of(std::string_view text) {
  uint64_t number = 0;
  const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), number);
  const bool whole = failure == std::errc{} && end == text.data() + text.size();
  return whole ? std::optional(number) : std::nullopt;
}

}  // namespace

JournalPlace JournalPlace::begin_of(WallTime time) {
  return {static_cast<uint64_t>(std::max<int64_t>(time.time_since_epoch().count(), 0)), 0};
}

std::optional<JournalPlace> JournalPlace::parse(std::string_view text) {
  const size_t hyphen = text.find('-');
  if (hyphen == std::string_view::npos) return std::nullopt;
  const auto at = number_of(text.substr(0, hyphen)), number = number_of(text.substr(hyphen + 1));
  return at && number ? std::optional(JournalPlace{*at, *number}) : std::nullopt;
}

std::string JournalPlace::to_string() const { return std::to_string(at) + "-" + std::to_string(number); }

JournalPlace JournalPlace::next() const {
  if (*this == kLastPlace) return *this;
  return number == UINT64_MAX ? JournalPlace{at + 1, 0} : JournalPlace{at, number + 1};
}

JournalPlace JournalPlace::before() const {
  if (*this == JournalPlace{}) return *this;
  return number == 0 ? JournalPlace{at - 1, UINT64_MAX} : JournalPlace{at, number - 1};
}

}  // namespace policyd
