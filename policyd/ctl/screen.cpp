#include "policyd/ctl/screen.h"

#include <poll.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <iterator>
#include <string>
#include <type_traits>

#include "policyd/ctl/table.h"

namespace policyd {

namespace {

// ECMA-48 and xterm: the other screen, the cursor, and what is left of a line and of the screen.
constexpr std::string_view kEnter = "\x1b[?1049h\x1b[?25l";
constexpr std::string_view kLeave = "\x1b[?25h\x1b[?1049l";
constexpr std::string_view kHome = "\x1b[H";
constexpr std::string_view kClearLine = "\x1b[K";
constexpr std::string_view kClearBelow = "\x1b[J";

constexpr int kSignals[] = {SIGWINCH, SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGTSTP};
volatile sig_atomic_t resized = 0;
volatile sig_atomic_t stopped = 0;
volatile sig_atomic_t ended = 0;

void note(int number) { (number == SIGWINCH ? resized : number == SIGTSTP ? stopped : ended) = 1; }

bool write_all(std::string_view text) {
  while (!text.empty()) {
    const ssize_t written = write(STDOUT_FILENO, text.data(), text.size());
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return false;
    text.remove_prefix(static_cast<size_t>(written));
  }
  return true;
}

}  // namespace

bool Screen::possible() { return isatty(STDIN_FILENO) != 0 && isatty(STDOUT_FILENO) != 0; }

// The signals come while it waits, and at no other time: nothing is missed, and nothing interrupted.
Screen::Screen() {
  static_assert(std::size(kSignals) == std::extent_v<decltype(actions_before_)>);
  resized = 0;
  stopped = 0;
  ended = 0;
  sigset_t blocked;
  sigemptyset(&blocked);
  for (const int number : kSignals) sigaddset(&blocked, number);
  sigprocmask(SIG_BLOCK, &blocked, &mask_before_);
  struct sigaction action{};
  action.sa_handler = note;
  for (size_t i = 0; i < std::size(kSignals); ++i) sigaction(kSignals[i], &action, &actions_before_[i]);
  tcgetattr(STDIN_FILENO, &before_);
  enter();
}

Screen::~Screen() {
  leave();
  for (size_t i = 0; i < std::size(kSignals); ++i) sigaction(kSignals[i], &actions_before_[i], nullptr);
  sigprocmask(SIG_SETMASK, &mask_before_, nullptr);
}

void Screen::enter() const {
  termios raw = before_;
  raw.c_lflag &= ~static_cast<tcflag_t>(ICANON | ECHO);
  raw.c_cc[VMIN] = 1;
  raw.c_cc[VTIME] = 0;
  tcsetattr(STDIN_FILENO, TCSANOW, &raw);
  (void)write_all(kEnter);
}

void Screen::leave() const {
  (void)write_all(kLeave);
  tcsetattr(STDIN_FILENO, TCSAFLUSH, &before_);
}

// As the signal would have done by itself, but for the terminal; returns once it goes on.
void Screen::stop() const {
  leave();
  struct sigaction usual{}, ours{};
  usual.sa_handler = SIG_DFL;
  sigaction(SIGTSTP, &usual, &ours);
  sigset_t mask, tstp;
  sigemptyset(&tstp);
  sigaddset(&tstp, SIGTSTP);
  raise(SIGTSTP);
  sigprocmask(SIG_UNBLOCK, &tstp, &mask);
  sigprocmask(SIG_SETMASK, &mask, nullptr);
  sigaction(SIGTSTP, &ours, nullptr);
  enter();
}

ScreenSize Screen::size() {
  winsize size{};
  if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_col == 0 || size.ws_row == 0) return {};
  return {size.ws_col, size.ws_row};
}

bool Screen::draw(std::string_view lines) {
  const std::string shown = displayable_lines(lines);
  std::string_view text = shown;
  std::string out(kHome);
  for (size_t row = 0, rows = size().rows; row < rows && !text.empty(); ++row) {
    const size_t end = text.find('\n');
    if (row > 0) out += "\r\n";
    out.append(text.substr(0, end)).append(kClearLine);
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  }
  return write_all(out.append(kClearBelow));
}

bool Screen::called() {
  sigset_t pending;
  sigpending(&pending);
  const auto has_come = [&pending](int number) { return sigismember(&pending, number) == 1; };
  pollfd input{STDIN_FILENO, POLLIN, 0};
  return std::any_of(std::begin(kSignals), std::end(kSignals), has_come) || poll(&input, 1, 0) > 0;
}

Screen::Why Screen::wait(Milliseconds limit, char& key) const {
  pollfd input{STDIN_FILENO, POLLIN, 0};
  const timespec time{limit.count() / 1000, limit.count() % 1000 * 1'000'000};
  const int ready = ppoll(&input, 1, &time, &mask_before_);
  if (ended != 0) return Why::ended;
  if (stopped != 0) {
    stopped = 0;
    stop();
    return Why::resized;
  }
  if (resized != 0) {
    resized = 0;
    return Why::resized;
  }
  if (ready == 0) return Why::time_is_up;
  if (ready < 0) return errno == EINTR ? Why::resized : Why::ended;
  return read(STDIN_FILENO, &key, 1) == 1 ? Why::key : Why::ended;
}

}  // namespace policyd
