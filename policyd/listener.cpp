#include "policyd/listener.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <systemd/sd-daemon.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "shared/log_line.h"

namespace policyd {

namespace {

constexpr int kBacklog = 4096;
constexpr Milliseconds kLookForHalfRequests{1000};

// What an operator can do about a socket that cannot be had.
std::string advice(int failure) {
  switch (failure) {
    case UV_EADDRINUSE: return "; another program listens there, perhaps a policyd that is still running";
    case UV_EACCES:
    case UV_EPERM:
      return "; the user that policyd runs as may not create it: give it the directory, or let systemd open the socket "
             "(listen = [\"systemd:\"])";
    case UV_ENOENT: return "; its directory does not exist";
    case UV_EADDRNOTAVAIL: return "; this host does not have the address";
    default: return "";
  }
}

Error cannot_listen(const std::string& name, int failure) {
  return Error{name + ": cannot listen: " + uv_strerror(failure) + advice(failure)};
}

// Whether somebody answers at a unix socket; false also where there is no socket.
bool answers(const std::string& path) {
  const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  path.copy(address.sun_path, sizeof address.sun_path - 1);
  // EAGAIN: somebody listens, and has a full backlog.
  const bool connected =
      connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0 || errno == EAGAIN;
  close(fd);
  return connected;
}

bool is_socket(const std::string& path) {
  struct stat status{};
  return lstat(path.c_str(), &status) == 0 && S_ISSOCK(status.st_mode);
}

sockaddr_storage socket_address(const Endpoint& endpoint) {
  sockaddr_storage storage{};
  if (endpoint.address.v6) {
    auto* v6 = reinterpret_cast<sockaddr_in6*>(&storage);
    v6->sin6_family = AF_INET6;
    v6->sin6_port = htons(endpoint.port);
    memcpy(&v6->sin6_addr, endpoint.address.octets.data(), 16);
  } else {
    auto* v4 = reinterpret_cast<sockaddr_in*>(&storage);
    v4->sin_family = AF_INET;
    v4->sin_port = htons(endpoint.port);
    memcpy(&v4->sin_addr, endpoint.address.octets.data(), 4);
  }
  return storage;
}

uint16_t bound_port(const uv_tcp_t* tcp) {
  sockaddr_storage storage{};
  int length = sizeof storage;
  if (uv_tcp_getsockname(tcp, reinterpret_cast<sockaddr*>(&storage), &length) < 0) return 0;
  return ntohs(storage.ss_family == AF_INET6 ? reinterpret_cast<sockaddr_in6*>(&storage)->sin6_port
                                             : reinterpret_cast<sockaddr_in*>(&storage)->sin_port);
}

struct Inherited {
  int fd;
  std::string name;
};

std::vector<Inherited> inherited_sockets() {
  char** names = nullptr;
  const int count = sd_listen_fds_with_names(0, &names);
  std::vector<Inherited> all;
  for (int i = 0; i < count; ++i) {
    all.push_back({SD_LISTEN_FDS_START + i, names && names[i] ? names[i] : ""});
    free(names[i]);
  }
  free(names);
  return all;
}

}  // namespace

Listener::Listener(const Shared& shared, std::string name)
    : name_(std::move(name)),
      context_{shared.loop, shared.engine, shared.clock, shared.streams, shared.statistics,
               [this](Session& session) { sessions_.erase(&session); }, {}},
      descriptors_(shared.descriptors),
      half_requests_(shared.loop, [this] {
        const SteadyTime now = context_.clock.steady();
        std::vector<Session*> all;
        for (const auto& [session, owner] : sessions_) all.push_back(session);
        for (Session* session : all) session->give_up_half_request(now);
      }) {
  half_requests_.every(kLookForHalfRequests);
}

Listener::~Listener() { close_handle(); }

Result<std::vector<std::unique_ptr<Listener>>> Listener::open(const Shared& shared, const Endpoint& endpoint,
                                                              int socket_mode) {
  std::vector<std::unique_ptr<Listener>> listeners;
  const auto add = [&](std::string name) -> Listener& {
    listeners.push_back(std::unique_ptr<Listener>(new Listener(shared, std::move(name))));
    return *listeners.back();
  };
  if (endpoint.kind != Endpoint::Kind::systemd) {
    Listener& listener = add(endpoint.to_string());
    if (auto bound = listener.bind(endpoint, socket_mode); !bound) return bound.error();
    return listeners;
  }
  for (const auto& [fd, name] : inherited_sockets()) {
    if (!endpoint.path.empty() && name != endpoint.path) continue;
    if (auto adopted = add("systemd:" + name).adopt(fd); !adopted) return adopted.error();
  }
  if (listeners.empty()) {
    return Error{endpoint.to_string() + ": systemd handed over no such socket; start policyd through policyd.socket, "
                                        "or listen on unix: or inet:"};
  }
  return listeners;
}

Result<void> Listener::bind(const Endpoint& endpoint, int socket_mode) {
  handle_ = new uv_any_handle;
  if (endpoint.kind == Endpoint::Kind::inet) {
    uv_tcp_init(context_.loop, &handle_->tcp);
    const sockaddr_storage address = socket_address(endpoint);
    const unsigned flags = endpoint.address.v6 ? UV_TCP_IPV6ONLY : 0;
    const int failure = uv_tcp_bind(&handle_->tcp, reinterpret_cast<const sockaddr*>(&address), flags);
    if (failure < 0) return cannot_listen(name_, failure);
    if (auto listening = listen(); !listening) return listening;
    Endpoint bound = endpoint;
    bound.port = bound_port(&handle_->tcp);
    name_ = bound.to_string();
    return {};
  }
  uv_pipe_init(context_.loop, &handle_->pipe, 0);
  if (is_socket(endpoint.path)) {
    if (answers(endpoint.path)) return cannot_listen(name_, UV_EADDRINUSE);
    unlink(endpoint.path.c_str());
  }
  if (const int failure = uv_pipe_bind(&handle_->pipe, endpoint.path.c_str()); failure < 0) {
    // libuv says EACCES both for no rights and for no directory.
    const auto directory = endpoint.path.substr(0, endpoint.path.rfind('/'));
    return cannot_listen(name_, access(directory.c_str(), F_OK) == 0 ? failure : UV_ENOENT);
  }
  if (chmod(endpoint.path.c_str(), static_cast<mode_t>(socket_mode)) != 0) {
    return Error{name_ + ": cannot set its mode: " + strerror(errno)};
  }
  return listen();
}

Result<void> Listener::adopt(int fd) {
  if (sd_is_socket(fd, AF_UNSPEC, SOCK_STREAM, -1) <= 0) {
    return Error{name_ + ": descriptor " + std::to_string(fd) + ", which systemd handed over, is not a stream socket"};
  }
  handle_ = new uv_any_handle;
  const bool unix_socket = sd_is_socket_unix(fd, SOCK_STREAM, -1, nullptr, 0) > 0;
  const int failure = unix_socket ? (uv_pipe_init(context_.loop, &handle_->pipe, 0), uv_pipe_open(&handle_->pipe, fd))
                                  : (uv_tcp_init(context_.loop, &handle_->tcp), uv_tcp_open(&handle_->tcp, fd));
  if (failure < 0) return cannot_listen(name_, failure);
  return listen();
}

Result<void> Listener::listen() {
  handle_->handle.data = this;
  const int failure = uv_listen(&handle_->stream, kBacklog, [](uv_stream_t* server, int status) {
    auto* self = static_cast<Listener*>(server->data);
    if (self && status == 0) self->on_connection();
    if (self && status < 0) self->cannot_take(status);
  });
  if (failure < 0) return cannot_listen(name_, failure);
  return {};
}

void Listener::on_connection() {
  auto session = std::make_unique<Session>(context_, name_);
  Session& reference = *session;
  if (auto accepted = reference.accept(&handle_->stream); !accepted) {
    log_error("{}: cannot take a connection: {}", name_, accepted.error().message);
    return;
  }
  if (descriptors_.want_it_back()) {
    session.reset();  // closes it
    descriptors_.look();
    return;
  }
  sessions_.emplace(&reference, std::move(session));
  reference.start();
}

// libuv tries again at once.
void Listener::cannot_take(int failure) {
  if (failure == UV_EMFILE || failure == UV_ENFILE) return descriptors_.give_way();
  log_error("{}: cannot take a connection: {}", name_, uv_strerror(failure));
}

void Listener::drain() {
  close_handle();
  half_requests_.stop();
  std::vector<Session*> all;
  for (const auto& [session, owner] : sessions_) all.push_back(session);
  for (Session* session : all) session->drain();
}

void Listener::close_handle() {
  if (!handle_) return;
  handle_->handle.data = nullptr;
  uv_close(&std::exchange(handle_, nullptr)->handle,
           [](uv_handle_t* handle) { delete reinterpret_cast<uv_any_handle*>(handle); });
}

}  // namespace policyd
