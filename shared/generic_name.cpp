#include "shared/generic_name.h"

#include <algorithm>
#include <charconv>
#include <fmt/format.h>
#include <string>
#include <vector>

#include "shared/text.h"

namespace policyd {

namespace {

constexpr std::string_view kDecimal = "0123456789";
constexpr std::string_view kHexadecimal = "0123456789abcdef";

// The numbers in `text`: its longest runs of `digits`, as far as they fit into 16 bits.
std::vector<unsigned> numbers_in(std::string_view text, std::string_view digits) {
  std::vector<unsigned> numbers;
  for (size_t at = text.find_first_of(digits); at != std::string_view::npos; at = text.find_first_of(digits, at)) {
    const size_t end = std::min(text.find_first_not_of(digits, at), text.size());
    unsigned number = 0;
    const auto [last, error] =
        std::from_chars(text.data() + at, text.data() + end, number, static_cast<int>(digits.size()));
    numbers.push_back(error == std::errc{} && last == text.data() + end ? std::min(number, 0x10000U) : 0x10000U);
    at = end;
  }
  return numbers;
}

bool holds(const std::vector<unsigned>& numbers, const std::vector<unsigned>& wanted) {
  return std::search(numbers.begin(), numbers.end(), wanted.begin(), wanted.end()) != numbers.end() ||
         std::search(numbers.begin(), numbers.end(), wanted.rbegin(), wanted.rend()) != numbers.end();
}

bool holds(std::string_view text, std::string_view wanted) {
  return text.find(wanted) != std::string_view::npos;
}

bool is_generic_v4(std::string_view name, const IpAddress& address) {
  const auto& o = address.octets;
  if (holds(numbers_in(name, kDecimal), {o[0], o[1], o[2], o[3]})) return true;
  const uint32_t number = uint32_t{o[0]} << 24 | uint32_t{o[1]} << 16 | uint32_t{o[2]} << 8 | o[3];
  return holds(name, fmt::format("{:03}{:03}{:03}{:03}", o[0], o[1], o[2], o[3])) ||
         holds(name, fmt::format("{:03}{:03}{:03}{:03}", o[3], o[2], o[1], o[0])) ||
         holds(name, fmt::format("{:08x}", number)) || (number > 99'999'999 && holds(name, std::to_string(number)));
}

bool is_generic_v6(std::string_view name, const IpAddress& address) {
  std::vector<unsigned> groups;
  std::string nibbles;
  for (size_t i = 0; i < address.octets.size(); i += 2) {
    groups.push_back(address.octets[i] * 256U + address.octets[i + 1]);
    nibbles += fmt::format("{:04x}", groups.back());
  }
  if (holds(numbers_in(name, kHexadecimal), groups)) return true;
  std::string dashed = address.to_string();
  std::replace(dashed.begin(), dashed.end(), ':', '-');
  std::string bare(name);
  std::erase_if(bare, [](char c) { return c == '-' || c == '.'; });
  return holds(name, dashed) || holds(bare, nibbles) || holds(bare, std::string(nibbles.rbegin(), nibbles.rend()));
}

}  // namespace

bool is_generic_name(std::string_view name, const IpAddress& address) {
  const std::string lower = to_lower(name);
  return address.v6 ? is_generic_v6(lower, address) : is_generic_v4(lower, address);
}

}  // namespace policyd
