#include "shared/setting_values.h"

#include "shared/duration.h"
#include "shared/text.h"

namespace policyd {

namespace {

constexpr size_t kMaximumList = 1000;  // octets; whoever writes more limits has made a mistake
constexpr int64_t kMaximumBound = 1'000'000'000;

constexpr bool separates(char c) {
  return c == ',' || c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

}  // namespace

bool says_none(std::string_view text) {
  const std::string_view word = trim(text);
  return word.empty() || to_lower(word) == "none";
}

std::vector<std::string> split_list(std::string_view list) {
  std::vector<std::string> items(1);
  for (size_t i = 0; i < list.size(); ++i) {
    std::string& item = items.back();
    if (!separates(list[i])) {
      item += list[i];
      continue;
    }
    const bool beside_slash = item.ends_with('/') || trim(list.substr(i)).starts_with('/');
    if (list[i] != ',' && beside_slash) continue;
    if (!item.empty()) items.emplace_back();
  }
  if (items.back().empty()) items.pop_back();
  return items;
}

std::string join_list(const std::vector<std::string>& items) {
  std::string out;
  for (const std::string& item : items) out.append(out.empty() ? "" : ", ").append(item);
  return out.empty() ? "none" : out;
}

Error bad_limit(Meter meter, std::string_view text, const std::string& reason) {
  return {quoted(text) + " is not a limit: " + reason + "; expected N/WINDOW, e.g. " +
          std::string(meter_example(meter))};
}

Result<Limits> parse_limits(Meter meter, std::string_view list) {
  Limits limits;
  if (says_none(list)) return limits;
  const std::string_view text = trim(list);
  if (text.size() > kMaximumList)
    return bad_limit(meter, text, "the list is longer than " + std::to_string(kMaximumList) + " octets");
  const std::vector<std::string> items = split_list(text);
  if (items.empty()) return bad_limit(meter, text, "the list is empty; \"none\" is no limit");
  for (const std::string& item : items) {
    Result<Limit> limit = Limit::parse(meter, item);
    if (!limit) return limit.error();
    for (const Limit& other : limits) {
      if (other.window != limit->window) continue;
      return Error{other.to_string() + " and " + limit->to_string() +
                   " have the same window; give one of them"};
    }
    limits.push_back(*limit);
  }
  return limits;
}

std::string format_limits(const Limits& limits) {
  std::vector<std::string> items;
  for (const Limit& limit : limits) items.push_back(limit.to_string());
  return join_list(items);
}

Result<int64_t> parse_bound(std::string_view text) {
  if (says_none(text)) return 0;
  if (const auto number = parse_whole_number(trim(text), kMaximumBound)) return *number;
  return Error{quoted(text) + " is not a whole number from 0 to 1000000000; expected e.g. 100, or none"};
}

std::string format_bound(int64_t bound) { return bound == 0 ? "none" : std::to_string(bound); }

Result<int64_t> parse_size_bound(std::string_view text) {
  if (says_none(text)) return 0;
  return parse_size(trim(text));
}

std::string format_size_bound(int64_t octets) { return octets == 0 ? "none" : format_size(octets); }

Result<bool> parse_yes_or_no(std::string_view text) {
  const std::string word = to_lower(trim(text));
  if (word == "true" || word == "yes") return true;
  if (word == "false" || word == "no") return false;
  return Error{quoted(text) + " is none of true, false; expected e.g. true"};
}

std::string format_yes_or_no(bool value) { return value ? "true" : "false"; }

}  // namespace policyd
