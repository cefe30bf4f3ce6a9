// A configuration for tests, from TOML; what is left out is at its default.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <variant>

#include "policyd/checks/check.h"
#include "shared/config.h"

namespace policyd::test {

// The errors, a line for each; empty where there are none.
std::string error_lines(const std::variant<Config, ConfigErrors>& parsed);

// Throws with all errors where `toml` cannot be used.
std::shared_ptr<const Config> config_from(std::string_view toml);

}  // namespace policyd::test
