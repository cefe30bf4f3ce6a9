// JSON as the admin API speaks it: members in the order in which they are written.
//
// Whatever octets stand in a text (request text may be any), what goes out is valid UTF-8, and no
// terminal obeys it.
#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include "shared/displayable.h"

namespace policyd {

using Json = nlohmann::ordered_json;

// One line, with a newline at its end.
inline std::string to_text(const Json& json) {
  return displayable_json(json.dump(-1, ' ', false, Json::error_handler_t::replace)) + "\n";
}

}  // namespace policyd
