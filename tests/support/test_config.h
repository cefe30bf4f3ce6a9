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

// The errors, a line for each; empty where there are none.
inline std::string error_lines(const std::variant<Config, ConfigErrors>& parsed) {
  std::string lines;
  const auto* errors = std::get_if<ConfigErrors>(&parsed);
  if (!errors) return lines;
  for (const std::string& message : errors->messages) lines += message + "\n";
  return lines;
}

// Throws with all errors where `toml` cannot be used.
inline std::shared_ptr<const Config> config_from(std::string_view toml) {
  auto parsed = parse_config(toml, "test.toml", check_specs());
  if (std::holds_alternative<ConfigErrors>(parsed)) throw std::invalid_argument(error_lines(parsed));
  return std::make_shared<const Config>(std::get<Config>(std::move(parsed)));
}

}  // namespace policyd::test
