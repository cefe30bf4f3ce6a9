// A full disk, as far as this process is concerned.
#pragma once

#include <csignal>
#include <sys/resource.h>

namespace policyd::test {

// Files of this process may not grow beyond `octets` while this lives: what a full disk does to a write.
class SmallFiles {
 public:
  explicit SmallFiles(rlim_t octets) {
    getrlimit(RLIMIT_FSIZE, &before_);
    signal_ = signal(SIGXFSZ, SIG_IGN);
    const rlimit small{octets, before_.rlim_max};
    setrlimit(RLIMIT_FSIZE, &small);
  }
  ~SmallFiles() {
    setrlimit(RLIMIT_FSIZE, &before_);
    signal(SIGXFSZ, signal_);
  }
  SmallFiles(const SmallFiles&) = delete;
  SmallFiles& operator=(const SmallFiles&) = delete;

 private:
  rlimit before_{};
  void (*signal_)(int);
};

}  // namespace policyd::test
