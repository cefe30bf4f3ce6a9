#include "policyd/async/stream.h"

#include <sys/socket.h>

#include <algorithm>

namespace policyd {

namespace {

constexpr size_t kMuch = 16 * 1024;  // is not held back to the end of the turn

// A write that the kernel did not take at once: owns its octets until libuv is done with them.
struct PendingWrite {
  uv_write_t write{};
  std::string octets;
};

uv_stream_t* as_stream(uv_any_handle* handle) { return &handle->stream; }

}  // namespace

Stream::~Stream() {
  if (!handle_) return;
  if (!out_.empty()) write();
  std::replace(streams_.to_wake_.begin(), streams_.to_wake_.end(), this, static_cast<Stream*>(nullptr));
  std::replace(streams_.to_send_.begin(), streams_.to_send_.end(), this, static_cast<Stream*>(nullptr));
  handle_->handle.data = nullptr;  // callbacks that are still to come find nobody
  uv_close(&handle_->handle, [](uv_handle_t* handle) { delete reinterpret_cast<uv_any_handle*>(handle); });
}

Result<void> Stream::accept(uv_stream_t* server) {
  handle_ = new uv_any_handle;
  if (server->type == UV_TCP) {
    uv_tcp_init(streams_.loop_, &handle_->tcp);
  } else {
    uv_pipe_init(streams_.loop_, &handle_->pipe, 0);
  }
  handle_->handle.data = this;
  if (const int failure = uv_accept(server, as_stream(handle_)); failure < 0) {
    return Error{uv_strerror(failure)};
  }
  // A reply is one small write that the peer waits for.
  if (server->type == UV_TCP) uv_tcp_nodelay(&handle_->tcp, 1);
  return {};
}

Result<void> Stream::start() {
  if (const int failure = uv_read_start(as_stream(handle_), on_allocate, on_read); failure < 0) {
    return Error{uv_strerror(failure)};
  }
  return {};
}

void Stream::pause() { uv_read_stop(as_stream(handle_)); }

void Stream::resume() {
  if (!ended_) uv_read_start(as_stream(handle_), on_allocate, on_read);
}

void Stream::end() {
  if (ended_) return;
  ended_ = true;
  if (handle_) uv_read_stop(as_stream(handle_));
  wake();
}

void Stream::end_after_arrived() {
  constexpr int kMostReads = 4;  // a peer that goes on sending is not listened to for ever
  uv_os_fd_t socket = -1;
  if (ended_ || uv_fileno(&handle_->handle, &socket) < 0) return end();
  char* const buffer = streams_.buffer_.get();
  for (int reads = 0; reads < kMostReads; ++reads) {
    const ssize_t count = recv(socket, buffer, Streams::kBufferSize, MSG_DONTWAIT);
    if (count <= 0) break;
    fresh_ = true;
    sink_.received({buffer, static_cast<size_t>(count)});
  }
  end();
}

void Stream::send(std::string_view octets) {
  if (out_.empty()) streams_.to_send_.push_back(this);
  out_.append(octets);
  if (out_.size() < kMuch) return;
  const bool written = write();
  out_.clear();
  if (!written) end();
}

// False: the stream is broken.
bool Stream::write() {
  std::string_view octets = out_;
  uv_stream_t* stream = as_stream(handle_);
  if (stream->write_queue_size == 0) {
    uv_buf_t buffer = uv_buf_init(out_.data(), static_cast<unsigned>(out_.size()));
    const int written = uv_try_write(stream, &buffer, 1);
    if (written < 0 && written != UV_EAGAIN) return false;
    if (written > 0) octets.remove_prefix(static_cast<size_t>(written));
    if (octets.empty()) return true;
  }
  auto* pending = new PendingWrite{{}, std::string(octets)};
  uv_buf_t buffer = uv_buf_init(pending->octets.data(), static_cast<unsigned>(pending->octets.size()));
  const int failure = uv_write(&pending->write, stream, &buffer, 1, [](uv_write_t* write, int) {
    delete reinterpret_cast<PendingWrite*>(write);
  });
  if (failure < 0) delete pending;
  return failure == 0;
}

void Streams::send_all() {
  // A stream that ends wakes its reader, which may send more, or destroy streams.
  for (size_t i = 0; i < to_send_.size(); ++i) {
    Stream* stream = to_send_[i];
    if (!stream || stream->out_.empty()) continue;
    const bool written = stream->write();
    stream->out_.clear();
    to_send_[i] = nullptr;
    if (!written) stream->end();
  }
  to_send_.clear();
}

std::string Stream::peer() const {
  sockaddr_storage address{};
  int length = sizeof address;
  auto* socket = reinterpret_cast<sockaddr*>(&address);
  if (handle_->handle.type != UV_TCP || uv_tcp_getpeername(&handle_->tcp, socket, &length) < 0) return "a unix socket";
  char name[INET6_ADDRSTRLEN] = "?";
  uv_ip_name(socket, name, sizeof name);
  const bool v6 = address.ss_family == AF_INET6;
  const auto port = ntohs(v6 ? reinterpret_cast<sockaddr_in6*>(socket)->sin6_port
                             : reinterpret_cast<sockaddr_in*>(socket)->sin_port);
  const std::string host = v6 ? std::string("[").append(name).append("]") : std::string(name);
  return host + ":" + std::to_string(port);
}

size_t Stream::unsent() const { return as_stream(handle_)->write_queue_size; }

void Stream::on_allocate(uv_handle_t* handle, size_t, uv_buf_t* into) {
  auto* self = static_cast<Stream*>(handle->data);
  *into = self ? uv_buf_init(self->streams_.buffer_.get(), Streams::kBufferSize) : uv_buf_init(nullptr, 0);
}

void Stream::on_read(uv_stream_t* handle, ssize_t count, const uv_buf_t* buffer) {
  auto* self = static_cast<Stream*>(handle->data);
  if (!self || count == 0) return;
  if (count < 0) return self->end();
  self->fresh_ = true;
  self->sink_.received({buffer->base, static_cast<size_t>(count)});
  if (self->reader_) self->streams_.to_wake_.push_back(self);
  if (self->streams_.to_wake_.size() >= Streams::kGroup) self->streams_.go_on();
}

void Streams::go_on() {
  wake_all();
  send_all();
}

void Streams::wake_all() {
  for (size_t i = 0; i < to_wake_.size(); ++i) {
    // A stream that was read twice in one turn stands here twice; its reader has taken all at once.
    if (to_wake_[i] && to_wake_[i]->fresh_) to_wake_[i]->wake();
  }
  to_wake_.clear();
}

// The reader may destroy this stream as it goes on, so nothing of it is touched afterwards.
void Stream::wake() {
  if (auto reader = std::exchange(reader_, nullptr)) reader.resume();
}

}  // namespace policyd
