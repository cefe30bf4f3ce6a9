// The log: spdlog in front, and behind it a thread that does the writing, so that a slow terminal, a full disk or a
// stuck journal never delays a decision.
//
// The writer takes what has been gathered every few milliseconds, and from a warning on at once. When it
// cannot keep up, lines are lost rather than memory; how many and why is written as soon as it can write again.
#pragma once

#include <memory>
#include <string>

#include "shared/result.h"

namespace policyd {

class LogWriter;

class Log {
 public:
  // `target`: "stderr", "syslog" or a file's path; `level`: trace, debug, info, warn or error. Makes this log spdlog's
  // default logger.
  static Result<std::unique_ptr<Log>> open(const std::string& target, const std::string& level);
  ~Log();

  // Changes what can change without a restart.
  void set_level(const std::string& level);
  // Opens the file again, after it was rotated away. What fails is said in the old one, which stays in use.
  void reopen();
  // Lines lost since start.
  [[nodiscard]] uint64_t lost() const;

 private:
  explicit Log(std::shared_ptr<LogWriter> writer) : writer_(std::move(writer)) {}
  std::shared_ptr<LogWriter> writer_;
};

}  // namespace policyd
