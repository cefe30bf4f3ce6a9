#include "tests/support/captured_log.h"

#include <spdlog/sinks/base_sink.h>
#include <spdlog/spdlog.h>

#include <utility>

namespace policyd::test {

struct CapturedLog::Sink final : spdlog::sinks::base_sink<spdlog::details::null_mutex> {
  std::vector<std::string> lines;
  void sink_it_(const spdlog::details::log_msg& message) override {
    const auto level = spdlog::level::to_string_view(message.level);
    lines.push_back(std::string(level.data(), level.size()) + ": " +
                    std::string(message.payload.data(), message.payload.size()));
  }
  void flush_() override {}
};

CapturedLog::CapturedLog() : sink_(std::make_shared<Sink>()), before_(spdlog::default_logger()) {
  auto logger = std::make_shared<spdlog::logger>("test", sink_);
  logger->set_level(spdlog::level::info);
  spdlog::set_default_logger(std::move(logger));
}

CapturedLog::~CapturedLog() {
  spdlog::set_default_logger(before_);
}

const std::vector<std::string>& CapturedLog::lines() const {
  return sink_->lines;
}

std::vector<std::string> CapturedLog::warnings() const {
  std::vector<std::string> found;
  for (const std::string& line : lines()) {
    if (!line.starts_with("info: ")) found.push_back(line);
  }
  return found;
}

}  // namespace policyd::test
