// The DNS servers, asked by c-ares on the libuv loop; and the resolver that policyd uses, which is these behind a
// cache.
//
// Queries go over UDP with EDNS, for answers of up to 1232 octets (what passes any network unfragmented, and holds most
// SPF records, which 512 octets often do not), and again over TCP where the answer was cut. The time-out is for the
// whole query: each server has a part of it, then the next is asked, twice round; an answer that comes late is still
// taken. A server that fails at once costs nothing, one that is silent its part, and after a few such queries it goes
// to the end of the list. No search domains, no /etc/hosts. A query that c-ares cannot end in time is ended here.
//
// c-ares takes the id of a query from its own random numbers, checks address, id and question of an answer, and takes a
// new port whenever nothing is under way. Its calls never reach into a coroutine: answers are given at the end of the
// loop's turn.
#pragma once

#include <uv.h>

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "policyd/async/timer.h"
#include "policyd/dns/caching_resolver.h"
#include "policyd/dns/cares_sockets.h"
#include "policyd/dns/upstream.h"
#include "shared/clock.h"
#include "shared/result.h"

namespace policyd {

// What [dns] in policyd.toml says.
struct DnsConfig {
  // "192.0.2.1", "192.0.2.1:5353", "2001:db8::1", "[::1]:5353"; none: those of /etc/resolv.conf.
  std::vector<std::string> servers;
  Milliseconds timeout{1000};  // for a query as a whole
  size_t cache = 100'000;      // entries; 0: none
};

class CaresUpstream final : public DnsUpstream {
 public:
  // Asks nobody until it is configured: every query is a server_failure.
  explicit CaresUpstream(uv_loop_t* loop);
  ~CaresUpstream() override;  // what is under way is dropped; `done` is not called

  // From now on these servers; resolv.conf is read again. Queries under way go on with those before. The Error names
  // what is wrong, and the servers stay.
  Result<void> reconfigure(const std::vector<std::string>& servers, Milliseconds timeout);
  // "127.0.0.1:53", "[::1]:53", in the order in which they are asked.
  [[nodiscard]] const std::vector<std::string>& servers() const { return servers_; }
  [[nodiscard]] DnsServerCounts counts_of(const std::string& server) const;

  void ask(const DnsName& name, DnsType type, Done done) override;

 private:
  class Channel;
  Result<std::unique_ptr<Channel>> open(const std::vector<std::string>& servers, Milliseconds timeout);
  void replace(std::unique_ptr<Channel> channel);
  void demote_silent_server();
  void finish(Done done, DnsReply reply);
  void tell();

  struct Finished {
    Done done;
    DnsReply reply;
  };

  uv_loop_t* loop_;
  std::vector<std::string> servers_;
  Milliseconds timeout_{0};
  DnsServerCountsByName counts_;  // of all servers there were
  std::vector<Finished> finished_;                 // to be told
  std::unique_ptr<Channel> channel_;               // null: not configured
  std::vector<std::unique_ptr<Channel>> retired_;  // until their last query has ended
  Timer tell_;                                     // at once, but from the loop
};

class CaresResolver final : public Resolver {
 public:
  CaresResolver(uv_loop_t* loop, const Clock& clock) : cache_(upstream_, clock, 0), upstream_(loop) {}

  // At start and on reload. A cache of another size, or with other servers, begins empty.
  Result<void> reconfigure(const DnsConfig& config);

  DnsLookup query(std::string_view name, DnsType type) override { return cache_.query(name, type); }
  DnsLookup query_afresh(std::string_view name, DnsType type) override { return cache_.query_afresh(name, type); }
  [[nodiscard]] DnsStatistics statistics() const { return cache_.statistics(); }
  [[nodiscard]] ResolverStatus status() const;

 private:
  DnsConfig config_{{}, Milliseconds{0}, 0};
  std::vector<std::string> servers_;  // that the cache is filled from
  CachingResolver cache_;
  CaresUpstream upstream_;  // goes first: what waits for it is answered with timed_out by the cache
};

}  // namespace policyd
