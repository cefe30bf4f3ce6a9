#include "shared/log_line.h"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <cstdlib>
#include <exception>
#include <iterator>

namespace policyd {

namespace {

spdlog::level::level_enum spdlog_level(LogLevel level) {
  switch (level) {
    case LogLevel::debug: return spdlog::level::debug;
    case LogLevel::info: return spdlog::level::info;
    case LogLevel::warning: return spdlog::level::warn;
    case LogLevel::error: return spdlog::level::err;
  }
  std::abort();  // no level
}

}  // namespace

bool logs(LogLevel level) {
  return spdlog::should_log(spdlog_level(level));
}

void log_line(LogLevel level, std::string_view line) {
  spdlog::default_logger_raw()->log(spdlog_level(level), spdlog::string_view_t(line.data(), line.size()));
}

void log_format(LogLevel level, fmt::string_view format, fmt::format_args arguments) {
  if (!logs(level)) return;
  try {
    fmt::memory_buffer line;
    fmt::vformat_to(std::back_inserter(line), format, arguments);
    log_line(level, {line.data(), line.size()});
  } catch (const std::exception&) {  // out of memory: what happened, though not to whom
    log_line(level, {format.data(), format.size()});
  }
}

}  // namespace policyd
