#include "policyd/dns/caching_resolver.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "policyd/recent_table.h"  // random_seed()

namespace policyd {

namespace {

using std::chrono::seconds;

constexpr seconds kLongestFound = std::chrono::days{1};
constexpr seconds kLongestEmpty = std::chrono::hours{1};  // RFC 2308, 5: one to three hours work well
constexpr seconds kEmptyWithoutSoa{30};
constexpr seconds kUnknown{5};  // RFC 2308, 7: at most five minutes

seconds time_to_keep(const DnsReply& reply) {
  if (reply.answer.unknown()) return kUnknown;
  if (reply.answer.found()) return std::min(reply.ttl.value_or(seconds{0}), kLongestFound);
  return std::min(reply.ttl.value_or(kEmptyWithoutSoa), kLongestEmpty);
}

SipDigest key_of(const SipKey& seed, const DnsName& name, DnsType type) {
  char text[DnsName::kLongestName + 1];
  const std::string_view view = name.view();
  std::memcpy(text, view.data(), view.size());
  text[view.size()] = static_cast<char>(type);
  return siphash(seed, {text, view.size() + 1});
}

}  // namespace

CachingResolver::CachingResolver(DnsUpstream& upstream, const Clock& clock, size_t cache)
    : upstream_(upstream),
      clock_(clock),
      seed_{random_seed(), random_seed()},
      cache_(std::make_unique<DnsCache>(cache)) {}

// What is still on its way was asked of those who were the servers before: under new seeds nobody joins it or finds it.
void CachingResolver::resize(size_t cache) {
  cache_ = std::make_unique<DnsCache>(cache);
  seed_ = {random_seed(), random_seed()};
}

DnsLookup CachingResolver::query(std::string_view name, DnsType type) {
  const auto asked = DnsName::parse(name);
  if (!asked) return DnsLookup(empty_answer(DnsStatus::bad_name));
  const SipDigest key = key_of(seed_, *asked, type);
  if (const DnsAnswerPtr* cached = cache_->find(key, clock_.steady())) {
    ++counted_.hits;
    return DnsLookup(*cached);
  }
  return join_or_ask(*asked, type, key);
}

DnsLookup CachingResolver::query_afresh(std::string_view name, DnsType type) {
  const auto asked = DnsName::parse(name);
  if (!asked) return DnsLookup(empty_answer(DnsStatus::bad_name));
  return join_or_ask(*asked, type, key_of(seed_, *asked, type));
}

DnsLookup CachingResolver::join_or_ask(const DnsName& name, DnsType type, const SipDigest& key) {
  if (const auto under_way = in_flight_.find(key); under_way != in_flight_.end()) {
    ++counted_.joins;
    return DnsLookup(*under_way->second);
  }
  return ask(name, type, key);
}

DnsLookup CachingResolver::ask(const DnsName& name, DnsType type, const SipDigest& key) {
  if (in_flight_.size() >= kMostInFlight) {
    ++counted_.refused;
    return DnsLookup(empty_answer(DnsStatus::overloaded));
  }
  ++counted_.queries;
  Query& query = *in_flight_.emplace(key, std::make_unique<Query>(clock_.steady())).first->second;
  upstream_.ask(name, type, [this, key](DnsReply reply) { answered(key, std::move(reply)); });
  return DnsLookup(query);
}

void CachingResolver::answered(const SipDigest& key, DnsReply reply) {
  const DnsStatus status = reply.answer.status;
  counted_.timed_out += status == DnsStatus::timed_out;
  counted_.failures += status == DnsStatus::server_failure || status == DnsStatus::malformed;
  const DnsAnswerPtr answer =
      reply.answer.found() ? std::make_shared<const DnsAnswer>(std::move(reply.answer)) : empty_answer(status);
  reply.answer.status = status;
  // Those who go on may ask the same again: by then it is cached, and no longer under way.
  const auto node = in_flight_.extract(key);
  const SteadyTime now = clock_.steady();
  cache_->insert(key, answer, now + time_to_keep(reply), now);
  node.mapped()->answer(answer, now - node.mapped()->asked);
}

DnsStatistics CachingResolver::statistics() const {
  DnsStatistics statistics = counted_;
  statistics.in_flight = in_flight_.size();
  statistics.cached = cache_->size();
  statistics.cached_octets = cache_->octets();
  return statistics;
}

}  // namespace policyd
