#include "policyd/admin/unix_listener.h"

#include <cerrno>
#include <cstring>
#include <optional>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>
#include <utility>

namespace policyd {

namespace {

constexpr int kBacklog = 64;

sockaddr_un address_of(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::memcpy(address.sun_path, path.data(), std::min(path.size(), sizeof address.sun_path - 1));
  return address;
}

// What an operator can do about it; a table, since errno alone helps nobody.
struct Advice {
  int code;
  std::string_view text;
};
constexpr Advice kAdvice[] = {
    {ENOENT, "its directory does not exist: create it, or set admin.listen to another path"},
    {ENOTDIR, "part of its path is no directory: set admin.listen to another path"},
    {EACCES,
     "the user that policyd runs as may not write to its directory: change the directory's owner, "
     "or set "
     "admin.listen to another path"},
    {EPERM,
     "the user that policyd runs as may not write to its directory: change the directory's owner, "
     "or set "
     "admin.listen to another path"},
    {EROFS, "it is on a read-only file system: set admin.listen to another path"},
};

Error failed(const std::string& path, int code) {
  std::string message = "cannot listen on unix:" + path + ": " + std::strerror(code);
  for (const Advice& advice : kAdvice) {
    if (advice.code == code) message.append("; ").append(advice.text);
  }
  return Error{std::move(message)};
}

int unix_socket() {
  return socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
}

bool somebody_listens(const std::string& path) {
  const int probe = unix_socket();
  if (probe < 0) return false;
  const sockaddr_un address = address_of(path);
  const bool connected =
      connect(probe, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
  const bool busy = !connected && errno == EAGAIN;  // its backlog is full
  close(probe);
  return connected || busy;
}

// Makes room for the socket's file.
Result<void> clear_path(const std::string& path) {
  struct stat status {};
  if (lstat(path.c_str(), &status) != 0) return {};  // bind() says what is wrong, if anything is
  if (!S_ISSOCK(status.st_mode)) {
    return Error{
        "cannot listen on unix:" + path +
        ": a file that is no socket is there; remove it, or set admin.listen to another path"};
  }
  if (somebody_listens(path)) {
    return Error{"another policyd is listening on unix:" + path +
                 "; stop it, or set admin.listen to another path for this one"};
  }
  if (unlink(path.c_str()) != 0 && errno != ENOENT) return failed(path, errno);
  return {};
}

}  // namespace

Result<UnixListener> UnixListener::open(const Endpoint& endpoint, int mode) {
  if (endpoint.kind != Endpoint::Kind::unix_socket) {
    return Error{
        "admin.listen: " + endpoint.to_string() +
        " is no unix socket; the admin API has no authentication but the socket's file mode"};
  }
  if (auto cleared = clear_path(endpoint.path); !cleared) return cleared.error();
  UnixListener listener(unix_socket(), endpoint.path);
  if (listener.fd_ < 0) return failed(endpoint.path, errno);
  // Linux makes the file with the mode of the socket less the umask, chmod() then adds what that
  // took.
  fchmod(listener.fd_, static_cast<mode_t>(mode));
  const sockaddr_un address = address_of(endpoint.path);
  if (bind(listener.fd_, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    return failed(endpoint.path, errno);
  }
  struct stat status {};
  if (lstat(endpoint.path.c_str(), &status) == 0) {
    listener.device_ = status.st_dev;
    listener.inode_ = status.st_ino;
  }
  if (chmod(endpoint.path.c_str(), static_cast<mode_t>(mode)) != 0 ||
      listen(listener.fd_, kBacklog) != 0) {
    return failed(endpoint.path, errno);
  }
  return listener;
}

UnixListener::UnixListener(UnixListener&& other) noexcept
    : fd_(std::exchange(other.fd_, -1)),
      path_(std::move(other.path_)),
      device_(other.device_),
      inode_(std::exchange(other.inode_, 0)) {}

UnixListener& UnixListener::operator=(UnixListener&& other) noexcept {
  if (this == &other) return *this;
  close();
  fd_ = std::exchange(other.fd_, -1);
  path_ = std::move(other.path_);
  device_ = other.device_;
  inode_ = std::exchange(other.inode_, 0);
  return *this;
}

UnixListener::~UnixListener() {
  close();
}

void UnixListener::close() {
  if (fd_ < 0) return;
  struct stat status {};
  const bool ours = inode_ != 0 && lstat(path_.c_str(), &status) == 0 && status.st_dev == device_ &&
                    status.st_ino == inode_;
  if (ours) unlink(path_.c_str());
  ::close(std::exchange(fd_, -1));
}

}  // namespace policyd
