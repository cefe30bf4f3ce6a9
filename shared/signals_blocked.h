// While it lives, this thread takes no signals, and neither do the threads it starts meanwhile, for good.
//
// The loop's thread handles the process' signals; a signal that another thread took would have its default effect.
#pragma once

#include <csignal>

namespace policyd {

class SignalsBlocked {
 public:
  SignalsBlocked() {
    sigset_t all;
    sigfillset(&all);
    pthread_sigmask(SIG_BLOCK, &all, &before_);
  }
  ~SignalsBlocked() { pthread_sigmask(SIG_SETMASK, &before_, nullptr); }
  SignalsBlocked(const SignalsBlocked&) = delete;
  SignalsBlocked& operator=(const SignalsBlocked&) = delete;

 private:
  sigset_t before_{};
};

}  // namespace policyd
