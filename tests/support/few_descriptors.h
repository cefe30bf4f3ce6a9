// A process that can open no further file descriptor.
#pragma once

#include <sys/eventfd.h>
#include <sys/resource.h>
#include <unistd.h>

namespace policyd::test {

class FewDescriptors {
 public:
  FewDescriptors() {
    getrlimit(RLIMIT_NOFILE, &before_);
    const int next = eventfd(0, EFD_CLOEXEC);  // all below it are in use
    close(next);
    const rlimit few{static_cast<rlim_t>(next), before_.rlim_max};
    setrlimit(RLIMIT_NOFILE, &few);
  }
  ~FewDescriptors() { setrlimit(RLIMIT_NOFILE, &before_); }
  FewDescriptors(const FewDescriptors&) = delete;
  FewDescriptors& operator=(const FewDescriptors&) = delete;

 private:
  rlimit before_{};
};

}  // namespace policyd::test
