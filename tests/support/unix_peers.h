// Both ends of a unix socket for tests: a server on the test's loop, and peers that the test drives by hand.
//
// A Peer never blocks: what it sends waits in it until the kernel takes it, and received() is what has come so far.
// So a test calls them in the condition of turn_until.
#pragma once

#include <doctest/doctest.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>
#include <uv.h>

#include <cerrno>
#include <csignal>
#include <functional>
#include <string>
#include <string_view>
#include <utility>

#include "tests/support/run_task.h"
#include "tests/support/temporary_directory.h"

namespace policyd::test {

// TestLoop::turn_until for tests that act between two turns: what that led to is done first, since no event will tell.
template <class Condition>
void turn_until(TestLoop& loop, Condition holds) {
  uv_run(loop, UV_RUN_NOWAIT);
  loop.turn_until(std::move(holds));
}

// Does all that can be done without a further event: both ends of a unix socket are in this process, so what one of
// them sent is there for the other at once.
inline void settle(uv_loop_t* loop) {
  for (int turn = 0; turn < 10; ++turn) uv_run(loop, UV_RUN_NOWAIT);
}

class Peer {
 public:
  explicit Peer(const std::string& path) : fd_(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    path.copy(address.sun_path, sizeof address.sun_path - 1);
    REQUIRE(connect(fd_, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0);
  }
  ~Peer() { close(); }
  Peer(const Peer&) = delete;
  Peer& operator=(const Peer&) = delete;

  void send(std::string_view octets) {
    out_ += octets;
    flush();
  }
  // True once the kernel has taken all that is to be sent.
  bool flush() {
    while (!out_.empty()) {
      const ssize_t count = ::send(fd_, out_.data(), out_.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
      if (count <= 0) return false;
      out_.erase(0, static_cast<size_t>(count));
    }
    return true;
  }
  // All that has come so far, from the beginning.
  const std::string& received() {
    char octets[64 * 1024];
    while (!ended_) {
      const ssize_t count = recv(fd_, octets, sizeof octets, MSG_DONTWAIT);
      if (count < 0 && errno == EAGAIN) break;
      if (count <= 0) {
        ended_ = true;
      } else {
        in_.append(octets, static_cast<size_t>(count));
      }
    }
    return in_;
  }
  // The other side has closed, and all it sent has been received.
  bool ended() { return received(), ended_; }

  void end_of_sending() { shutdown(fd_, SHUT_WR); }
  void close() {
    if (fd_ >= 0) ::close(std::exchange(fd_, -1));
    ended_ = true;
  }

 private:
  int fd_;
  std::string out_, in_;
  bool ended_ = false;
};

class UnixServer {
 public:
  // `connected` takes each connection.
  UnixServer(uv_loop_t* loop, std::function<void(uv_stream_t*)> connected)
      : connected_(std::move(connected)), handle_(new uv_pipe_t) {
    signal(SIGPIPE, SIG_IGN);  // as policyd does
    uv_pipe_init(loop, handle_, 0);
    handle_->data = this;
    REQUIRE(uv_pipe_bind(handle_, path().c_str()) == 0);
    const int listening = uv_listen(reinterpret_cast<uv_stream_t*>(handle_), 16, [](uv_stream_t* server, int) {
      static_cast<UnixServer*>(server->data)->connected_(server);
    });
    REQUIRE(listening == 0);
  }
  ~UnixServer() {
    uv_close(reinterpret_cast<uv_handle_t*>(handle_),
             [](uv_handle_t* handle) { delete reinterpret_cast<uv_pipe_t*>(handle); });
  }
  UnixServer(const UnixServer&) = delete;
  UnixServer& operator=(const UnixServer&) = delete;

  [[nodiscard]] std::string path() const { return directory_.file("socket"); }

 private:
  TemporaryDirectory directory_;
  std::function<void(uv_stream_t*)> connected_;
  uv_pipe_t* handle_;
};

}  // namespace policyd::test
