#include "tests/support/unix_peers.h"

#include <doctest/doctest.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <utility>

namespace policyd::test {

void turn_until(TestLoop& loop, const std::function<bool()>& holds) {
  uv_run(loop, UV_RUN_NOWAIT);
  loop.turn_until(holds);
}

void settle(uv_loop_t* loop) {
  for (int turn = 0; turn < 10; ++turn) uv_run(loop, UV_RUN_NOWAIT);
}

Peer::Peer(const std::string& path) : fd_(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  path.copy(address.sun_path, sizeof address.sun_path - 1);
  REQUIRE(connect(fd_, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0);
}

void Peer::send(std::string_view octets) {
  out_ += octets;
  flush();
}

bool Peer::flush() {
  while (!out_.empty()) {
    const ssize_t count = ::send(fd_, out_.data(), out_.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
    if (count <= 0) return false;
    out_.erase(0, static_cast<size_t>(count));
  }
  return true;
}

const std::string& Peer::received() {
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

void Peer::end_of_sending() {
  shutdown(fd_, SHUT_WR);
}

void Peer::close() {
  if (fd_ >= 0) ::close(std::exchange(fd_, -1));
  ended_ = true;
}

UnixServer::UnixServer(uv_loop_t* loop, std::function<void(uv_stream_t*)> connected)
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

UnixServer::~UnixServer() {
  uv_close(reinterpret_cast<uv_handle_t*>(handle_),
           [](uv_handle_t* handle) { delete reinterpret_cast<uv_pipe_t*>(handle); });
}

}  // namespace policyd::test
