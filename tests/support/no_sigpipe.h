// Writing to a pipe that nobody reads is an error while this lives, as in policyd, and not this process's death.
#pragma once

#include <csignal>

namespace policyd::test {

class NoSigpipe {
 public:
  NoSigpipe() : before_(signal(SIGPIPE, SIG_IGN)) {}
  ~NoSigpipe() { signal(SIGPIPE, before_); }
  NoSigpipe(const NoSigpipe&) = delete;
  NoSigpipe& operator=(const NoSigpipe&) = delete;

 private:
  void (*before_)(int);
};

}  // namespace policyd::test
