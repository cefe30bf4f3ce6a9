// JSON from outside, of a depth that cannot exhaust a stack: what copies, prints or frees a value goes as deep as it is
// nested.
#pragma once

#include <nlohmann/json.hpp>
#include <string_view>

namespace policyd {

// `text` as JSON; "discarded" (no object, no array ...) where it is none, or nested deeper than anything that we read.
inline nlohmann::json parse_shallow_json(std::string_view text) {
  constexpr int kDeepest = 16;
  bool too_deep = false;
  const auto look = [&too_deep](int depth, nlohmann::json::parse_event_t, nlohmann::json&) {
    too_deep = too_deep || depth > kDeepest;
    return depth <= kDeepest;
  };
  auto json = nlohmann::json::parse(text, look, false);
  return too_deep ? nlohmann::json(nlohmann::json::value_t::discarded) : json;
}

}  // namespace policyd
