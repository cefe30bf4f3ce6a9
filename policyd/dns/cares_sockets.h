// The sockets of a c-ares channel, opened here so that what goes to each server and comes back is counted.
//
// Counted are datagrams: a try of a query, an answer. What is cut and asked for again over TCP counts once, as it came.
// They are as c-ares itself would open them: not blocking, connected, TCP without delay.
#pragma once

#include <ares.h>

#include <cstdint>
#include <map>
#include <string>
#include <unordered_map>

#include "policyd/dns/caching_resolver.h"

namespace policyd {

// By "127.0.0.1:53", "[::1]:53".
using DnsServerCountsByName = std::map<std::string, DnsServerCounts>;

// `address`: in_addr or in6_addr, as `family` says.
std::string server_name(int family, const void* address, uint16_t port);

class CaresSockets {
 public:
  // `counts` outlives the sockets; `buffer`: octets for a burst of queries or of answers, as many as the kernel grants.
  CaresSockets(DnsServerCountsByName& counts, int buffer) : counts_(counts), buffer_(buffer) {}

  // From now on the channel opens its sockets here; ares_destroy() is called before this goes.
  void attach(ares_channel channel);

 private:
  static ares_socket_t open(int family, int type, int protocol, void* self);
  static int close(ares_socket_t socket, void* self);
  static int connect(ares_socket_t socket, const sockaddr* address, ares_socklen_t size, void* self);
  static ares_ssize_t receive(ares_socket_t socket, void* data, size_t size, int flags, sockaddr* from,
                              ares_socklen_t* from_size, void* self);
  static ares_ssize_t send(ares_socket_t socket, const iovec* parts, int count, void* self);
  DnsServerCounts* counts_of(ares_socket_t socket);

  DnsServerCountsByName& counts_;
  const int buffer_;
  std::unordered_map<ares_socket_t, DnsServerCounts*> udp_;  // those that are connected
};

}  // namespace policyd
