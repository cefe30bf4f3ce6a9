// The lines that the code under test logs, while this lives: "warning: connection from ... closed".
#pragma once

#include <memory>
#include <string>
#include <vector>

namespace spdlog {
class logger;
}

namespace policyd::test {

class CapturedLog {
 public:
  CapturedLog();
  ~CapturedLog();
  CapturedLog(const CapturedLog&) = delete;
  CapturedLog& operator=(const CapturedLog&) = delete;

  [[nodiscard]] const std::vector<std::string>& lines() const;
  // Those that are worse than info.
  [[nodiscard]] std::vector<std::string> warnings() const;

 private:
  struct Sink;
  std::shared_ptr<Sink> sink_;
  std::shared_ptr<spdlog::logger> before_;
};

}  // namespace policyd::test
