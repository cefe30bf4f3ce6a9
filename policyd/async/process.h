// A program that is run: given its input, watched, and ended where it takes too long.
//
// It leads a session and process group of its own, so that what it starts is ended with it, and is given no descriptor
// but its standard ones: octets to read, /dev/null to write to, and standard error, of which the first line is kept.
// A program that reads nothing is no matter where SIGPIPE is ignored, as in policyd. At its time limit it is sent
// SIGTERM, and SIGKILL after kGrace; dropping a Process kills it at once. It does not keep the loop running. Starting
// one holds the loop up for about a millisecond.
#pragma once

#include <uv.h>

#include <coroutine>
#include <string>
#include <vector>

#include "policyd/async/timer.h"
#include "shared/clock.h"

namespace policyd {

struct ProcessEnd {
  std::string trouble;     // why it could not be started; all else is meaningless then
  int64_t exit_status = 0;
  int signal = 0;          // that ended it; 0: none
  bool timed_out = false;  // it was ended for taking too long
  bool ended_early = false;  // by end()
  std::string said;        // the first line on standard error, as octets
  [[nodiscard]] bool well() const { return trouble.empty() && exit_status == 0 && signal == 0 && !timed_out; }
};

class Process {
 public:
  static constexpr Milliseconds kGrace{2'000};
  static constexpr size_t kLongestSaid = 512;

  // Starts it. `command`: a path, and arguments.
  Process(uv_loop_t* loop, const std::vector<std::string>& command, std::string input, Milliseconds limit);
  ~Process();
  Process(const Process&) = delete;
  Process& operator=(const Process&) = delete;

  // Asks it to end, as at its time limit.
  void end();

  // co_await process: once it has ended.
  [[nodiscard]] bool await_ready() const noexcept { return over_; }
  void await_suspend(std::coroutine_handle<> waiter) noexcept { waiter_ = waiter; }
  ProcessEnd await_resume() noexcept { return std::move(end_); }

 private:
  struct Handles;  // libuv's, which outlive this
  void start(uv_loop_t* loop, const std::vector<std::string>& command);
  void terminate();
  void exited(int64_t status, int signal);
  void let_go();
  void keep(const char* octets, size_t count);

  Handles* handles_;  // null: it has ended
  std::string input_;
  Milliseconds limit_;
  Timer timer_;
  ProcessEnd end_;
  std::string stderr_;
  bool asked_ = false;  // SIGTERM has been sent
  bool over_ = false;
  std::coroutine_handle<> waiter_;
};

}  // namespace policyd
