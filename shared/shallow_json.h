// JSON from outside, of a depth that cannot exhaust a stack: what copies, prints or frees a value goes as deep as it is
// nested.
#pragma once

#include <nlohmann/json.hpp>
#include <string_view>

namespace policyd {

// `text` as JSON; "discarded" (no object, no array ...) where it is none, or nested deeper than anything that we read.
template <class Json = nlohmann::json>
Json parse_shallow_json(std::string_view text) {
  constexpr int kDeepest = 16;
  bool too_deep = false;
  const auto look = [&too_deep](int depth, typename Json::parse_event_t, Json&) {
    too_deep = too_deep || depth > kDeepest;
    return depth <= kDeepest;
  };
  Json json = Json::parse(text, look, false);
  return too_deep ? Json(Json::value_t::discarded) : json;
}

}  // namespace policyd
