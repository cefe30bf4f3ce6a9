// The resolver as checks see it: a cache before the servers, and one query for all who ask the same at a time.
//
// How long answers are kept: as long as they say, at most a day; a no at most an hour, and 30 s where it does not say
// (no SOA record); a TTL of 0 not at all; what could not be found out for 5 s, so that servers that are away cost the
// time-out once, then nothing. At most kMostInFlight questions are on their way; what is asked beyond that is
// `overloaded` at once, and counted.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "policyd/dns/cache.h"
#include "policyd/dns/resolver.h"
#include "policyd/dns/upstream.h"
#include "shared/clock.h"

namespace policyd {

// Since start; for operators.
struct DnsStatistics {
  uint64_t hits = 0;       // answered by the cache
  uint64_t joins = 0;      // waited for a query that was under way
  uint64_t queries = 0;    // put to the servers
  uint64_t timed_out = 0;  // of these
  uint64_t failures = 0;   // of these: server_failure and malformed
  uint64_t refused = 0;    // not put to the servers: too many were under way
  size_t in_flight = 0;    // now
  size_t cached = 0;       // entries, now
  size_t cached_octets = 0;
};

// What went to one server and came back, since start.
struct DnsServerCounts {
  uint64_t tries = 0;     // queries, each time one was sent
  uint64_t answers = 0;
  uint64_t failures = 0;  // of these: SERVFAIL, REFUSED ...: neither an answer nor a no
  bool operator==(const DnsServerCounts&) const = default;
};

// For operators: the servers in the order in which they are asked.
struct ResolverStatus {
  DnsStatistics counts;
  std::vector<std::pair<std::string, DnsServerCounts>> servers;  // "127.0.0.1:53", "[::1]:53"
};

class CachingResolver final : public Resolver {
 public:
  static constexpr size_t kMostInFlight = 10'000;

  // Both outlive the resolver, or are not used by the loop any more when it goes. `cache`: entries.
  CachingResolver(DnsUpstream& upstream, const Clock& clock, size_t cache);

  DnsLookup query(std::string_view name, DnsType type) override;
  DnsLookup query_afresh(std::string_view name, DnsType type) override;

  // Forgets all that is cached; from now on at most `cache` entries.
  void resize(size_t cache);
  [[nodiscard]] DnsStatistics statistics() const;

 private:
  class Query : public DnsQuery {
   public:
    explicit Query(SteadyTime asked_) : asked(asked_) {}
    using DnsQuery::answer;
    const SteadyTime asked;
  };
  struct ByLow {
    size_t operator()(const SipDigest& key) const { return key.low; }
  };

  DnsLookup join_or_ask(const DnsName& name, DnsType type, const SipDigest& key);
  DnsLookup ask(const DnsName& name, DnsType type, const SipDigest& key);
  void answered(const SipDigest& key, DnsReply reply);

  DnsUpstream& upstream_;
  const Clock& clock_;
  SipKey seed_;
  std::unique_ptr<DnsCache> cache_;
  std::unordered_map<SipDigest, std::unique_ptr<Query>, ByLow> in_flight_;
  DnsStatistics counted_;
};

}  // namespace policyd
