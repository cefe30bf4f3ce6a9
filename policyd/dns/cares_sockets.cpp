#include "policyd/dns/cares_sockets.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

namespace policyd {

namespace {

constexpr size_t kHeader = 12;  // RFC 1035, 4.1.1

bool is_datagram(ares_socket_t socket) {
  int type = 0;
  socklen_t size = sizeof type;
  return getsockopt(socket, SOL_SOCKET, SO_TYPE, &type, &size) == 0 && type == SOCK_DGRAM;
}

// Neither NOERROR nor NXDOMAIN: the server could not, or would not, answer.
bool is_failure(const void* message) {
  const int code = static_cast<const uint8_t*>(message)[3] & 0x0f;
  return code != 0 && code != 3;
}

std::string name_of(const sockaddr* address) {
  if (address->sa_family == AF_INET6) {
    const auto* v6 = reinterpret_cast<const sockaddr_in6*>(address);
    return server_name(AF_INET6, &v6->sin6_addr, ntohs(v6->sin6_port));
  }
  const auto* v4 = reinterpret_cast<const sockaddr_in*>(address);
  return server_name(AF_INET, &v4->sin_addr, ntohs(v4->sin_port));
}

}  // namespace

std::string server_name(int family, const void* address, uint16_t port) {
  char text[INET6_ADDRSTRLEN] = "";
  inet_ntop(family, address, text, sizeof text);
  const std::string host = family == AF_INET6 ? std::string("[").append(text).append("]") : std::string(text);
  return host + ":" + std::to_string(port);
}

void CaresSockets::attach(ares_channel channel) {
  static constexpr ares_socket_functions kFunctions = {open, close, connect, receive, send};
  ares_set_socket_functions(channel, &kFunctions, this);
}

ares_socket_t CaresSockets::open(int family, int type, int protocol, void* self) {
  const int opened = ::socket(family, type | SOCK_NONBLOCK | SOCK_CLOEXEC, protocol);
  if (opened < 0) return ARES_SOCKET_BAD;
  const int buffer = static_cast<CaresSockets*>(self)->buffer_;
  setsockopt(opened, SOL_SOCKET, SO_RCVBUF, &buffer, sizeof buffer);
  setsockopt(opened, SOL_SOCKET, SO_SNDBUF, &buffer, sizeof buffer);
  const int on = 1;
  if (type == SOCK_STREAM) setsockopt(opened, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  return opened;
}

int CaresSockets::close(ares_socket_t socket, void* self) {
  static_cast<CaresSockets*>(self)->udp_.erase(socket);
  return ::close(socket);
}

int CaresSockets::connect(ares_socket_t socket, const sockaddr* address, ares_socklen_t size, void* self) {
  auto& sockets = *static_cast<CaresSockets*>(self);
  if (is_datagram(socket)) sockets.udp_[socket] = &sockets.counts_[name_of(address)];
  return ::connect(socket, address, size);
}

ares_ssize_t CaresSockets::receive(ares_socket_t socket, void* data, size_t size, int flags, sockaddr* from,
                                   ares_socklen_t* from_size, void* self) {
  const ares_ssize_t received = ::recvfrom(socket, data, size, flags, from, from_size);
  DnsServerCounts* const counts = static_cast<CaresSockets*>(self)->counts_of(socket);
  if (counts && received >= static_cast<ares_ssize_t>(kHeader)) {
    ++counts->answers;
    counts->failures += is_failure(data);
  }
  return received;
}

ares_ssize_t CaresSockets::send(ares_socket_t socket, const iovec* parts, int count, void* self) {
  msghdr message{};
  message.msg_iov = const_cast<iovec*>(parts);
  message.msg_iovlen = static_cast<size_t>(count);
  const ares_ssize_t sent = ::sendmsg(socket, &message, MSG_NOSIGNAL);
  DnsServerCounts* const counts = static_cast<CaresSockets*>(self)->counts_of(socket);
  if (counts) ++counts->tries;
  return sent;
}

DnsServerCounts* CaresSockets::counts_of(ares_socket_t socket) {
  const auto found = udp_.find(socket);
  return found == udp_.end() ? nullptr : found->second;
}

}  // namespace policyd
