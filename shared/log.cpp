#include "shared/log.h"

#include <fcntl.h>
#include <poll.h>
#include <spdlog/sinks/base_sink.h>
#include <spdlog/spdlog.h>
#include <sys/stat.h>
#include <syslog.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <climits>
#include <condition_variable>
#include <cstring>
#include <ctime>
#include <mutex>
#include <thread>
#include <vector>

#include "shared/clock.h"
#include "shared/signals_blocked.h"

namespace policyd {

namespace {

constexpr size_t kMostPending = 8 * 1024 * 1024;  // octets that wait for the writer
// The writer takes what comes within kPace in one go, unless it is much or somebody should see it at once.
constexpr std::chrono::milliseconds kPace{20};
constexpr size_t kMuch = 256 * 1024;
// A pipe, socket or terminal that does not take anything more at the end of the process is given up after this.
constexpr std::chrono::milliseconds kPatienceAtEnd{2'000}, kPoll{100};

int syslog_level(spdlog::level::level_enum level) {
  switch (level) {
    case spdlog::level::critical: return LOG_CRIT;
    case spdlog::level::err: return LOG_ERR;
    case spdlog::level::warn: return LOG_WARNING;
    case spdlog::level::info: return LOG_INFO;
    default: return LOG_DEBUG;
  }
}

// "2026-01-31 13:05:07" of the second that lines come from, made once for all of them.
class SecondText {
 public:
  std::string_view of(std::time_t second) {
    if (second != second_) {
      std::tm parts{};
      localtime_r(&second, &parts);
      length_ = std::strftime(text_, sizeof text_, "%Y-%m-%d %H:%M:%S", &parts);
      second_ = second;
    }
    return {text_, length_};
  }

 private:
  std::time_t second_ = -1;
  char text_[32];
  size_t length_ = 0;
};

// What a line begins with: the priority for syslog, which adds time and level itself, as the journal adds its time.
enum class Form : uint8_t { full, without_time, syslog };

}  // namespace

// The sink and its thread. For syslog every line starts with one octet that is its priority.
class LogWriter final : public spdlog::sinks::base_sink<std::mutex> {
 public:
  LogWriter(std::string path, int fd, Form form) : path_(std::move(path)), form_(form), fd_(fd) {
    const SignalsBlocked blocked;
    thread_ = std::thread([this] { run(); });
  }
  ~LogWriter() override {
    {
      const std::lock_guard lock(mutex_);
      stopping_ = true;
    }
    wake_.notify_one();
    thread_.join();
    retired_.push_back(fd_);
    for (const int fd : retired_) {
      if (fd > STDERR_FILENO) close(fd);
    }
  }

  void reopen() {
    if (path_.empty()) return;
    const int fd = open(path_.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0640);
    if (fd < 0) {
      spdlog::error("log.target: {}: cannot be opened again: {}; the old file stays in use", path_, strerror(errno));
      return;
    }
    const std::lock_guard lock(mutex_);
    retired_.push_back(std::exchange(fd_, fd));
  }

  [[nodiscard]] uint64_t lost() const { return lost_; }

 protected:
  void sink_it_(const spdlog::details::log_msg& message) override {
    if (gathered_.size() + message.payload.size() > kMostPending) {
      ++lost_;
      return;
    }
    const size_t before = gathered_.size();
    append_start(gathered_, message.time, message.level);
    append_line(gathered_, {message.payload.data(), message.payload.size()});
    const bool newly_urgent = message.level >= spdlog::level::warn && !std::exchange(urgent_, true);
    if (before == 0 || newly_urgent || (before <= kMuch && gathered_.size() > kMuch)) wake_.notify_one();
  }
  // The writer takes what there is by itself; this returns once it has been written, or lost.
  void flush_() override {
    std::unique_lock lock(mutex_, std::adopt_lock);  // base_sink holds it
    if (!gathered_.empty()) {
      urgent_ = true;
      wake_.notify_one();
    }
    idle_.wait(lock, [this] { return gathered_.empty() && !writing_; });
    lock.release();
  }

 private:
  // What stands before the text: for syslog one octet that is its priority.
  void append_start(std::string& out, spdlog::log_clock::time_point at, spdlog::level::level_enum level) {
    if (form_ == Form::syslog) {
      out.push_back(static_cast<char>(syslog_level(level)));
      return;
    }
    if (form_ == Form::full) {
      const auto time = std::chrono::time_point_cast<Milliseconds>(at).time_since_epoch().count();
      const auto ms = static_cast<int>(time % 1000);
      out.append(second_.of(static_cast<std::time_t>(time / 1000)));
      const auto digit = [](int number) { return static_cast<char>('0' + number % 10); };
      out.append({'.', digit(ms / 100), digit(ms / 10), digit(ms), ' '});
    }
    const auto name = spdlog::level::to_string_view(level);
    out.append(name.data(), name.size()).append(": ");
  }

  // One event, one line.
  static void append_line(std::string& out, std::string_view text) {
    const size_t start = out.size();
    out.append(text);
    if (text.find('\n') != std::string_view::npos) {
      std::replace(out.begin() + static_cast<ptrdiff_t>(start), out.end(), '\n', ' ');
    }
    out.push_back('\n');
  }

  void run() {
    std::string batch;
    int fd = -1;
    while (take(batch, fd)) {
      tell_of_losses(fd);
      write(fd, batch);
      batch.clear();
    }
    tell_of_losses(fd);
  }

  // Waits for something to write; false: policyd ends, and all has been written.
  bool take(std::string& batch, int& fd) {
    std::unique_lock lock(mutex_);
    writing_ = false;
    idle_.notify_all();
    wake_.wait(lock, [this] { return stopping_ || !gathered_.empty(); });
    wake_.wait_for(lock, kPace, [this] { return stopping_ || urgent_ || gathered_.size() > kMuch; });
    fd = fd_;
    for (const int old : std::exchange(retired_, {})) close(old);
    if (gathered_.empty()) return false;
    urgent_ = false;
    writing_ = true;
    batch.swap(gathered_);
    return true;
  }

  // Whole lines. What cannot be written is lost, and counted. False: some of it.
  bool write(int fd, std::string_view lines) {
    if (form_ == Form::syslog) {
      write_syslog(lines);
      return true;
    }
    if (torn_ && write_all(fd, "\n") == 0) {
      lost_ += static_cast<uint64_t>(std::count(lines.begin(), lines.end(), '\n'));
      return false;
    }
    const size_t written = write_all(fd, lines);
    torn_ = written > 0 && lines[written - 1] != '\n';
    lines.remove_prefix(written);
    lost_ += static_cast<uint64_t>(std::count(lines.begin(), lines.end(), '\n'));
    return lines.empty();
  }

  // How much could be written. It never waits within write(2), so that a reader who has stopped to read (a pager, a
  // full pipe) does not hold up the end of the process for longer than kPatienceAtEnd.
  size_t write_all(int fd, std::string_view octets) {
    struct stat kind{};
    const bool can_block =
        fstat(fd, &kind) == 0 && (S_ISFIFO(kind.st_mode) || S_ISSOCK(kind.st_mode) || isatty(fd) == 1);
    size_t done = 0;
    while (done < octets.size()) {
      if (can_block && !wait_for_room(fd)) {
        reason_ = "nobody read it";
        return done;
      }
      const size_t most = can_block ? size_t{PIPE_BUF} : octets.size();
      const ssize_t written = ::write(fd, octets.data() + done, std::min(most, octets.size() - done));
      if (written >= 0) {
        done += static_cast<size_t>(written);
        waited_ = {};
      } else if (errno != EINTR && errno != EAGAIN) {
        reason_ = strerror(errno);
        return done;
      }
    }
    return done;
  }

  // False: policyd ends, and there was no room for long enough.
  bool wait_for_room(int fd) {
    for (;;) {
      pollfd waiting{fd, POLLOUT, 0};
      if (poll(&waiting, 1, static_cast<int>(kPoll.count())) != 0) return true;  // room, or what write() will tell
      const std::lock_guard lock(mutex_);
      if (stopping_) waited_ += kPoll;
      if (waited_ >= kPatienceAtEnd) return false;
    }
  }

  static void write_syslog(std::string_view lines) {
    while (!lines.empty()) {
      const size_t end = lines.find('\n');
      syslog(lines[0], "%.*s", static_cast<int>(end - 1), lines.data() + 1);
      lines.remove_prefix(end + 1);
    }
  }

  void tell_of_losses(int fd) {
    const uint64_t lost = lost_;
    if (lost == told_) return;
    std::string line;
    {
      const std::lock_guard lock(mutex_);
      append_start(line, spdlog::log_clock::now(), spdlog::level::warn);
    }
    line += std::to_string(lost - told_) + " log lines were lost: " +
            (reason_.empty() ? "the log was slower than policyd" : reason_) + "\n";
    if (!write(fd, line)) {
      --lost_;  // told once it can be; that it could not is no loss
      return;
    }
    told_ = lost;
    reason_.clear();
  }

  const std::string path_;
  const Form form_;
  SecondText second_;                  // under base_sink's mutex_
  int fd_;                             // these six under base_sink's mutex_
  std::vector<int> retired_;           // no more used once the writer has what to write next
  std::string gathered_;
  bool urgent_ = false;
  bool stopping_ = false;
  bool writing_ = false;               // the writer has taken lines that it has not dealt with
  std::atomic<uint64_t> lost_{0};
  std::condition_variable wake_;
  std::condition_variable idle_;       // told when the writer has dealt with all it took
  uint64_t told_ = 0;                  // the writer's own
  std::string reason_;                 // the writer's own, as are the next two
  bool torn_ = false;                  // the last line that was written has no end
  std::chrono::milliseconds waited_{0};  // for room at the end of the process
  std::thread thread_;
};

Result<std::unique_ptr<Log>> Log::open(const std::string& target, const std::string& level) {
  std::shared_ptr<LogWriter> writer;
  if (target == "syslog") {
    openlog("policyd", LOG_PID, LOG_MAIL);
    writer = std::make_shared<LogWriter>("", -1, Form::syslog);
  } else {
    const bool to_file = target != "stderr";
    const int fd = to_file ? ::open(target.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0640) : STDERR_FILENO;
    if (fd < 0) {
      return Error{"log.target: " + target + ": cannot be opened: " + strerror(errno) +
                   "; make its directory writable for the user that policyd runs as"};
    }
    const Form form = !to_file && getenv("JOURNAL_STREAM") ? Form::without_time : Form::full;
    writer = std::make_shared<LogWriter>(to_file ? target : "", fd, form);
  }
  auto logger = std::make_shared<spdlog::logger>("policyd", writer);
  spdlog::set_default_logger(std::move(logger));
  std::unique_ptr<Log> log(new Log(std::move(writer)));
  log->set_level(level);
  return log;
}

Log::~Log() {
  spdlog::set_default_logger(std::make_shared<spdlog::logger>("none"));
}

void Log::set_level(const std::string& level) {
  spdlog::default_logger_raw()->set_level(spdlog::level::from_str(level));
}

void Log::reopen() { writer_->reopen(); }
uint64_t Log::lost() const { return writer_->lost(); }

}  // namespace policyd
