// A listening unix socket and its file, which goes when the listener goes.
//
// open() replaces the file that a dead process left behind and leaves alone what somebody listens
// on and what is no socket. It fails with the endpoint, the reason and what to do.
#pragma once

#include <string>

#include "shared/config.h"
#include "shared/result.h"

namespace policyd {

class UnixListener {
 public:
  // `mode`: of the socket's file, e.g. 0660. The file never has more rights than that, not even for
  // a moment.
  static Result<UnixListener> open(const Endpoint& endpoint, int mode);
  UnixListener(UnixListener&& other) noexcept;
  UnixListener& operator=(UnixListener&& other) noexcept;
  ~UnixListener();

  [[nodiscard]] int fd() const { return fd_; }
  [[nodiscard]] const std::string& path() const { return path_; }

 private:
  UnixListener(int fd, std::string path) : fd_(fd), path_(std::move(path)) {}
  void close();

  int fd_ = -1;
  std::string path_;
  // The file's identity: one that another process has put in its place is not ours to remove.
  uint64_t device_ = 0, inode_ = 0;
};

}  // namespace policyd
