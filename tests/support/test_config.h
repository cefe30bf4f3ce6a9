// A configuration for tests, from TOML; what is left out is at its default.
#pragma once

#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <variant>

#include "policyd/checks/check.h"
#include "shared/config.h"

namespace policyd::test {

// Throws with all errors where `toml` cannot be used.
inline std::shared_ptr<const Config> config_from(std::string_view toml) {
  auto parsed = parse_config(toml, "test.toml", check_specs());
  if (const auto* errors = std::get_if<ConfigErrors>(&parsed)) {
    std::string all;
    for (const std::string& message : errors->messages) all += message + "\n";
    throw std::invalid_argument(all);
  }
  return std::make_shared<const Config>(std::get<Config>(std::move(parsed)));
}

}  // namespace policyd::test
