// Names in free text, such as a reason or a person's words, replaced by what stands for them.
//
// What is replaced is not looked at again: a hash that happens to hold a name stays whole. Octets are compared as ASCII
// in either case. Pure.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace policyd {

struct NamesInText {
  using Naming = std::function<std::string(std::string_view)>;

  // In lower case, and what takes its place wherever it stands as a whole word: no letter or digit of ASCII beside it.
  // The longest counts.
  std::vector<std::pair<std::string, std::string>> known;
  // For whatever is an address of mail: ann@example.com, "ann smith"@example.com.
  Naming address;
  // For whatever is an IP address or a network, 192.0.2.0/24; empty: these stay.
  Naming client;

  [[nodiscard]] std::string replaced_in(std::string_view text) const;
};

}  // namespace policyd
