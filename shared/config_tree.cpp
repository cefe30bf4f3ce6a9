// The words in which the configuration speaks of its values and keys; see config_tree.h.
#include "shared/config_tree.h"

#include <algorithm>
#include <array>
#include <fmt/format.h>
#include <numeric>

#include "shared/text.h"

namespace policyd {

std::string describe(const ConfigNode& node) {
  switch (node.kind) {
    case ConfigNode::Kind::string:
      return "the string " + quoted(node.text, 60);
    case ConfigNode::Kind::integer:
      return fmt::format("the number {}", node.integer);
    case ConfigNode::Kind::boolean:
      return node.boolean ? "true" : "false";
    case ConfigNode::Kind::real:
      return "a number with a fraction";
    case ConfigNode::Kind::time:
      return "a date or time";
    case ConfigNode::Kind::array:
      return node.items.empty() ? "an empty array" : "an array";
    case ConfigNode::Kind::table:
      return "a table";
  }
  return "nothing";
}

std::string toml_key(std::string_view key) {
  const auto bare = [](char c) { return is_alphanumeric(c) || c == '_' || c == '-'; };
  if (!key.empty() && std::all_of(key.begin(), key.end(), bare)) return std::string(key);
  return toml_string(key);
}

std::string toml_string(std::string_view text) {
  std::string out = "\"";
  for (char c : text) {
    if (c == '"' || c == '\\') out += '\\';
    auto octet = static_cast<unsigned char>(c);
    if (octet < 0x20 || octet == 0x7f) {
      out += fmt::format("\\u{:04x}", octet);
    } else {
      out += c;
    }
  }
  return out + '"';
}

std::string list_names(const std::vector<std::string_view>& names, size_t limit) {
  std::string out;
  const size_t shown = std::min(names.size(), limit);
  for (size_t i = 0; i < shown; ++i) {
    const bool last = i + 1 == names.size();
    if (i > 0) out += last ? " or " : ", ";
    out += quoted(names[i]);
  }
  return shown < names.size() ? out + ", ..." : out;
}

namespace {

// How many letters have to be changed, put in, left out or swapped with their neighbour (Damerau's
// measure).
size_t slips(std::string_view a, std::string_view b) {
  std::array<std::vector<size_t>, 3> rows;
  for (auto& row : rows) row.resize(b.size() + 1);
  std::iota(rows[1].begin(), rows[1].end(), size_t{0});
  for (size_t i = 1; i <= a.size(); ++i) {
    auto& [before, last, now] = rows;
    now[0] = i;
    for (size_t j = 1; j <= b.size(); ++j) {
      const size_t change = last[j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1);
      now[j] = std::min({last[j] + 1, now[j - 1] + 1, change});
      const bool swapped = i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1];
      if (swapped) now[j] = std::min(now[j], before[j - 2] + 1);
    }
    std::rotate(rows.begin(), rows.begin() + 1, rows.end());
  }
  return rows[1][b.size()];
}

}  // namespace

std::string_view nearest(std::string_view text, const std::vector<std::string_view>& known) {
  if (text.size() > 64) return {};
  const std::string wanted = to_lower(text);
  size_t best = wanted.size() > 4 ? 3 : 2;  // as many slips are too many
  std::string_view found;
  for (std::string_view name : known) {
    const size_t distance = slips(wanted, name);
    if (distance < best) {
      best = distance;
      found = name;
    }
  }
  return found;
}

}  // namespace policyd
