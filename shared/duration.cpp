// Durations and sizes: see duration.h.
//
// Both are a whole number and a unit from a table. Every sum is checked before it is made, so that
// no text, however long its number, wraps around.
#include "shared/duration.h"

#include <array>
#include <charconv>
#include <optional>

#include "shared/text.h"

namespace policyd {
namespace {

struct Unit {
  std::string_view name;
  int64_t factor;
};

// The first that divides a duration gives its shortest form.
constexpr std::array<Unit, 6> kDurationUnits{{
    {"w", 7LL * 24 * 3600 * 1000},
    {"d", 24LL * 3600 * 1000},
    {"h", 3600LL * 1000},
    {"m", 60LL * 1000},
    {"s", 1000},
    {"ms", 1},
}};
constexpr int64_t kMaximumDuration = 3650LL * 24 * 3600 * 1000;

constexpr std::array<Unit, 9> kSizeUnits{{
    {"TB", 1000LL * 1000 * 1000 * 1000},
    {"GB", 1000LL * 1000 * 1000},
    {"MB", 1000LL * 1000},
    {"KB", 1000},
    {"TiB", 1LL << 40},
    {"GiB", 1LL << 30},
    {"MiB", 1LL << 20},
    {"KiB", 1LL << 10},
    {"B", 1},
}};
constexpr int64_t kMaximumSize = (1LL << 53) - 1;

// A text taken apart: "90s" is 90 and "s".
struct Amount {
  std::string_view digits;
  std::string_view unit;

  explicit Amount(std::string_view text) {
    const size_t end = std::min(text.find_first_not_of("0123456789"), text.size());
    digits = text.substr(0, end);
    unit = text.substr(end);
  }
};

// digits * factor, or nothing where that is over `maximum`.
std::optional<int64_t> multiply(std::string_view digits, int64_t factor, int64_t maximum) {
  int64_t number = 0;
  const auto [stop, failure] =
      std::from_chars(digits.data(), digits.data() + digits.size(), number);
  if (failure != std::errc() || number > maximum / factor) return std::nullopt;
  return number * factor;
}

template <size_t N>
const Unit* find_unit(const std::array<Unit, N>& units, std::string_view name) {
  for (const Unit& unit : units) {
    if (unit.name == name) return &unit;
  }
  return nullptr;
}

// "2gb" and "2GB" mean the same to everybody.
const Unit* find_size_unit(std::string_view name) {
  const std::string wanted = to_lower(name.empty() ? "B" : name);
  for (const Unit& unit : kSizeUnits) {
    if (to_lower(unit.name) == wanted) return &unit;
  }
  return nullptr;
}

}  // namespace

Result<Milliseconds> parse_duration(std::string_view text) {
  if (text == "0") return Milliseconds(0);
  const Amount amount(text);
  const Unit* unit = find_unit(kDurationUnits, amount.unit);
  if (amount.digits.empty() || unit == nullptr) {
    return Error{quoted(text) +
                 " is not a duration: expected a whole number and one of ms, s, m, h, d, w, e.g. "
                 "90s or 15m"};
  }
  const auto duration = multiply(amount.digits, unit->factor, kMaximumDuration);
  if (!duration)
    return Error{quoted(text) + " is too long: a duration is at most 10 years (3650d)"};
  return Milliseconds(*duration);
}

std::string format_duration(Milliseconds duration) {
  const int64_t count = duration.count();
  if (count == 0) return "0s";
  for (const Unit& unit : kDurationUnits) {
    if (count % unit.factor == 0) return std::to_string(count / unit.factor).append(unit.name);
  }
  std::abort();  // the last unit divides everything
}

std::string describe_duration(Milliseconds duration) {
  int64_t left = duration.count();
  if (left <= 0) return "0s";
  if (left < 1000) return std::to_string(left) + "ms";
  // Days are the largest unit here: "30d" says more than "4w 2d". From a second on, nobody asks for
  // the rest.
  static constexpr std::array kShown{kDurationUnits[1], kDurationUnits[2], kDurationUnits[3],
                                     kDurationUnits[4]};
  std::string out;
  for (const Unit& unit : kShown) {
    const int64_t count = left / unit.factor;
    left %= unit.factor;
    if (count == 0 && out.empty()) continue;
    if (count == 0) break;
    const bool second = !out.empty();
    if (second) out += ' ';
    out.append(std::to_string(count)).append(unit.name);
    if (second) break;
  }
  return out;
}

Result<int64_t> parse_size(std::string_view text) {
  const Amount amount(text);
  const Unit* unit = find_size_unit(amount.unit);
  if (amount.digits.empty() || unit == nullptr) {
    return Error{quoted(text) +
                 " is not a size: expected a whole number, alone or with one of KB, MB, GB, TB, "
                 "KiB, MiB, GiB, TiB, "
                 "e.g. 512 or 2GB"};
  }
  const auto size = multiply(amount.digits, unit->factor, kMaximumSize);
  if (!size)
    return Error{quoted(text) +
                 " is too large: a size is at most 9007199254740991 octets (2^53 - 1)"};
  return *size;
}

std::string format_size(int64_t octets) {
  std::string shortest = std::to_string(octets);
  if (octets == 0) return shortest;
  for (const Unit& unit : kSizeUnits) {
    if (unit.factor == 1 || octets % unit.factor != 0) continue;
    std::string candidate = std::to_string(octets / unit.factor).append(unit.name);
    // 1000 is better as 1KB; where decimal and binary units are equally short the decimal one,
    // first here, stays.
    const bool plain = shortest.back() <= '9';
    if (candidate.size() < shortest.size() || (plain && candidate.size() == shortest.size()))
      shortest = candidate;
  }
  return shortest;
}

}  // namespace policyd
