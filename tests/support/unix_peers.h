// Both ends of a unix socket for tests: a server on the test's loop, and peers that the test drives by hand.
//
// A Peer never blocks: what it sends waits in it until the kernel takes it, and received() is what has come so far.
// So a test calls them in the condition of turn_until.
#pragma once

#include <uv.h>

#include <functional>
#include <string>
#include <string_view>

#include "tests/support/run_task.h"
#include "tests/support/temporary_directory.h"

namespace policyd::test {

// TestLoop::turn_until for tests that act between two turns: what that led to is done first, since no event will tell.
void turn_until(TestLoop& loop, const std::function<bool()>& holds);

// Does all that can be done without a further event: both ends of a unix socket are in this process, so what one of
// them sent is there for the other at once.
void settle(uv_loop_t* loop);

class Peer {
 public:
  explicit Peer(const std::string& path);
  ~Peer() { close(); }
  Peer(const Peer&) = delete;
  Peer& operator=(const Peer&) = delete;

  void send(std::string_view octets);
  // True once the kernel has taken all that is to be sent.
  bool flush();
  // All that has come so far, from the beginning.
  const std::string& received();
  // The other side has closed, and all it sent has been received.
  bool ended() { return received(), ended_; }

  void end_of_sending();
  void close();

 private:
  int fd_;
  std::string out_, in_;
  bool ended_ = false;
};

class UnixServer {
 public:
  // `connected` takes each connection.
  UnixServer(uv_loop_t* loop, std::function<void(uv_stream_t*)> connected);
  ~UnixServer();
  UnixServer(const UnixServer&) = delete;
  UnixServer& operator=(const UnixServer&) = delete;

  [[nodiscard]] std::string path() const { return directory_.file("socket"); }

 private:
  TemporaryDirectory directory_;
  std::function<void(uv_stream_t*)> connected_;
  uv_pipe_t* handle_;
};

}  // namespace policyd::test
