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
#include <condition_variable>
#include <cstring>
#include <mutex>
#include <thread>

#include "shared/signals_blocked.h"

namespace policyd {

namespace {

constexpr size_t kMostPending = 8 * 1024 * 1024;  // octets that wait for the writer
// The writer takes what comes within kPace in one go, unless it is much or somebody should see it at once.
constexpr std::chrono::milliseconds kPace{20};
constexpr size_t kMuch = 256 * 1024;

int syslog_level(spdlog::level::level_enum level) {
  switch (level) {
    case spdlog::level::critical: return LOG_CRIT;
    case spdlog::level::err: return LOG_ERR;
    case spdlog::level::warn: return LOG_WARNING;
    case spdlog::level::info: return LOG_INFO;
    default: return LOG_DEBUG;
  }
}

}  // namespace

// The sink and its thread. For syslog every line starts with one octet that is its priority.
class LogWriter final : public spdlog::sinks::base_sink<std::mutex> {
 public:
  LogWriter(std::string path, int fd, bool to_syslog) : path_(std::move(path)), fd_(fd), to_syslog_(to_syslog) {
    const SignalsBlocked blocked;
    thread_ = std::thread([this] { run(); });
  }
  ~LogWriter() override {
    {
      const std::lock_guard lock(hand_);
      stopping_ = true;
    }
    wake_.notify_one();
    thread_.join();
    if (fd_ > STDERR_FILENO) close(fd_);
  }

  void reopen() {
    if (path_.empty()) return;
    const int fd = open(path_.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0640);
    if (fd < 0) {
      spdlog::error("log.target: {}: cannot be opened again: {}; the old file stays in use", path_, strerror(errno));
      return;
    }
    const int old = fd_.exchange(fd);
    const std::lock_guard lock(writing_);  // the writer is not within a write to it
    close(old);
  }

  [[nodiscard]] uint64_t lost() const { return lost_; }

 protected:
  void sink_it_(const spdlog::details::log_msg& message) override {
    spdlog::memory_buf_t line;
    formatter_->format(message, line);
    if (gathered_.size() + waiting_ + line.size() > kMostPending) {
      ++lost_;
      return;
    }
    if (message.level >= spdlog::level::warn) urgent_gathered_ = true;
    if (to_syslog_) gathered_.push_back(static_cast<char>(syslog_level(message.level)));
    gathered_.append(line.data(), line.size());
  }
  void flush_() override {
    if (gathered_.empty()) return;
    bool tell = false;
    {
      const std::lock_guard lock(hand_);
      urgent_ = urgent_ || std::exchange(urgent_gathered_, false);
      tell = pending_.empty() || urgent_ || pending_.size() > kMuch;
      pending_.append(gathered_);
      waiting_ = pending_.size();
    }
    gathered_.clear();
    if (tell) wake_.notify_one();
  }

 private:
  void run() {
    std::string batch;
    for (;;) {
      {
        std::unique_lock lock(hand_);
        wake_.wait(lock, [this] { return stopping_ || !pending_.empty(); });
        wake_.wait_for(lock, kPace, [this] { return stopping_ || urgent_ || pending_.size() > kMuch; });
        if (pending_.empty()) return;
        urgent_ = false;
        batch.swap(pending_);
        waiting_ = 0;
      }
      const std::lock_guard lock(writing_);
      tell_of_losses();
      to_syslog_ ? write_syslog(batch) : write_all(batch);
      batch.clear();
    }
  }

  void write_all(std::string_view octets) {
    while (!octets.empty()) {
      const ssize_t written = ::write(fd_, octets.data(), octets.size());
      if (written >= 0) {
        octets.remove_prefix(static_cast<size_t>(written));
      } else if (errno == EAGAIN) {
        pollfd waiting{fd_, POLLOUT, 0};
        poll(&waiting, 1, 1000);
      } else if (errno != EINTR) {
        reason_ = strerror(errno);
        lost_ += static_cast<uint64_t>(std::count(octets.begin(), octets.end(), '\n'));
        return;
      }
    }
  }

  void write_syslog(const std::string& batch) {
    for (size_t at = 0; at < batch.size();) {
      const size_t end = batch.find('\n', at);
      syslog(batch[at], "%.*s", static_cast<int>(end - at - 1), batch.data() + at + 1);
      at = end + 1;
    }
  }

  void tell_of_losses() {
    const uint64_t lost = lost_;
    if (lost == told_ || to_syslog_) return;
    const std::string line = std::to_string(lost - told_) + " log lines were lost: " +
                             (reason_.empty() ? "the log was slower than policyd" : reason_) + "\n";
    if (::write(fd_, line.data(), line.size()) < 0) return;  // told once it can be
    told_ = lost;
    reason_.clear();
  }

  const std::string path_;
  std::atomic<int> fd_;
  const bool to_syslog_;
  std::string gathered_;               // under base_sink's mutex
  std::atomic<size_t> waiting_{0};     // octets in pending_
  std::atomic<uint64_t> lost_{0};
  bool urgent_gathered_ = false;       // under base_sink's mutex
  std::mutex hand_;                    // guards the next three
  std::string pending_;
  bool urgent_ = false;
  bool stopping_ = false;
  std::condition_variable wake_;
  std::mutex writing_;                 // held by the writer while it uses fd_
  uint64_t told_ = 0;                  // the writer's own
  std::string reason_;                 // the writer's own
  std::thread thread_;
};

Result<std::unique_ptr<Log>> Log::open(const std::string& target, const std::string& level) {
  std::shared_ptr<LogWriter> writer;
  if (target == "syslog") {
    openlog("policyd", LOG_PID, LOG_MAIL);
    writer = std::make_shared<LogWriter>("", -1, true);
    writer->set_pattern("%v");
  } else {
    const bool to_file = target != "stderr";
    const int fd = to_file ? ::open(target.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0640) : STDERR_FILENO;
    if (fd < 0) {
      return Error{"log.target: " + target + ": cannot be opened: " + strerror(errno) +
                   "; make its directory writable for the user that policyd runs as"};
    }
    writer = std::make_shared<LogWriter>(to_file ? target : "", fd, false);
    // The journal adds its own time.
    writer->set_pattern(!to_file && getenv("JOURNAL_STREAM") ? "%l: %v" : "%Y-%m-%d %H:%M:%S.%e %l: %v");
  }
  auto logger = std::make_shared<spdlog::logger>("policyd", writer);
  logger->flush_on(spdlog::level::warn);
  spdlog::set_default_logger(std::move(logger));
  std::unique_ptr<Log> log(new Log(std::move(writer)));
  log->set_level(level);
  return log;
}

Log::~Log() {
  hand_over();
  spdlog::set_default_logger(std::make_shared<spdlog::logger>("none"));
}

void Log::set_level(const std::string& level) {
  spdlog::default_logger_raw()->set_level(spdlog::level::from_str(level));
}

void Log::reopen() { writer_->reopen(); }
void Log::hand_over() { spdlog::default_logger_raw()->flush(); }
uint64_t Log::lost() const { return writer_->lost(); }

}  // namespace policyd
