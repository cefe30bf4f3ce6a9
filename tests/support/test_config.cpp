#include "tests/support/test_config.h"

#include <stdexcept>
#include <utility>

namespace policyd::test {

std::string error_lines(const std::variant<Config, ConfigErrors>& parsed) {
  std::string lines;
  const auto* errors = std::get_if<ConfigErrors>(&parsed);
  if (!errors) return lines;
  for (const std::string& message : errors->messages) lines += message + "\n";
  return lines;
}

std::shared_ptr<const Config> config_from(std::string_view toml) {
  auto parsed = parse_config(toml, "test.toml", check_specs());
  if (std::holds_alternative<ConfigErrors>(parsed)) throw std::invalid_argument(error_lines(parsed));
  return std::make_shared<const Config>(std::get<Config>(std::move(parsed)));
}

}  // namespace policyd::test
