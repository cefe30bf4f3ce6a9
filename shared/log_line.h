// Lines of the log: what happens is said here, whoever writes it (log.h).
//
//   log_warning("{}: connection from {} closed: {}", listener, peer, reason);
//
// Formats are fmt's, checked at compile time. What is not wanted at the present level costs a look at that level. Of a
// line that cannot be made, for want of memory, its format is written. Never fails. Any thread.
#pragma once

#include <fmt/core.h>

#include <cstdint>
#include <string_view>

namespace policyd {

enum class LogLevel : uint8_t { debug, info, warning, error };

// Whether lines of that level are written at all.
[[nodiscard]] bool logs(LogLevel level);

// A line as it is.
void log_line(LogLevel level, std::string_view line);
// One that is made of a format and what it names.
void log_format(LogLevel level, fmt::string_view format, fmt::format_args arguments);

template <class... Arguments>
void log_debug(fmt::format_string<Arguments...> format, Arguments&&... arguments) {
  log_format(LogLevel::debug, format, fmt::make_format_args(arguments...));
}
template <class... Arguments>
void log_info(fmt::format_string<Arguments...> format, Arguments&&... arguments) {
  log_format(LogLevel::info, format, fmt::make_format_args(arguments...));
}
template <class... Arguments>
void log_warning(fmt::format_string<Arguments...> format, Arguments&&... arguments) {
  log_format(LogLevel::warning, format, fmt::make_format_args(arguments...));
}
template <class... Arguments>
void log_error(fmt::format_string<Arguments...> format, Arguments&&... arguments) {
  log_format(LogLevel::error, format, fmt::make_format_args(arguments...));
}

}  // namespace policyd
