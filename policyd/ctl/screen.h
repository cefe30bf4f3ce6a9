// The terminal while a program has all of it: a screen of its own, keys as they are pressed, and all as before at the
// end.
//
// Made only where standard input and output are a terminal. SIGINT, SIGTERM, SIGHUP and SIGQUIT end wait(), as a change
// of size does; the one who waits ends in his own time, and the destructor puts everything back. While it is stopped
// (ctrl-Z) the terminal is as before, and wait() then ends as with a change of size. Whoever has to wait for something
// else looks at called() meanwhile.
#pragma once

#include <csignal>
#include <string_view>
#include <termios.h>

#include "shared/clock.h"

namespace policyd {

struct ScreenSize {
  size_t columns = 80;
  size_t rows = 24;
};

class Screen {
 public:
  [[nodiscard]] static bool possible();
  Screen();
  ~Screen();
  Screen(const Screen&) = delete;
  Screen& operator=(const Screen&) = delete;

  [[nodiscard]] static ScreenSize size();
  // Lines, displayable, of which those that do not fit are left out. False: the terminal takes no more.
  [[nodiscard]] static bool draw(std::string_view lines);

  enum class Why : unsigned char { time_is_up, resized, key, ended };
  // Until something has come, or `limit` is over. A key is in `key`; ended: by a signal, or the terminal is gone.
  [[nodiscard]] Why wait(Milliseconds limit, char& key) const;
  // Whether wait() would end at once: a signal or a key has come.
  [[nodiscard]] static bool called();

 private:
  void enter() const;
  void leave() const;
  void stop() const;

  termios before_{};
  sigset_t mask_before_{};
  struct sigaction actions_before_[6] = {};
};

}  // namespace policyd
