// Measures the cache of DNS answers: bench_dns_cache [ENTRIES]. Fills it through the resolver with as many names of
// some 40 octets, first all without an answer, then all with a single address, and prints the memory that the process
// holds and the processor's time for a look-up that hits: of one name again and again, of the last thousand, and of all
// in a scattered order.
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <fstream>
#include <string>
#include <vector>

#include "policyd/dns/caching_resolver.h"

namespace {

using namespace policyd;

// Answers as soon as told to.
class Immediate final : public DnsUpstream {
 public:
  void ask(const DnsName&, DnsType, Done done) override { waiting = std::move(done); }
  Done waiting;
};

double resident_megabytes() {
  std::ifstream statm("/proc/self/statm");
  long total = 0, resident = 0;
  statm >> total >> resident;
  return static_cast<double>(resident) * static_cast<double>(sysconf(_SC_PAGESIZE)) / 1e6;
}

std::string name_of(size_t number) {
  char text[64];
  std::snprintf(text, sizeof text, "%zu.%zu.%zu.%zu.a-list-of-some-length.example", number & 255, number >> 8 & 255,
                number >> 16 & 255, number >> 24);
  return text;
}

void fill(Resolver& resolver, Immediate& upstream, size_t entries, DnsStatus status) {
  for (size_t i = 0; i < entries; ++i) {
    const DnsLookup lookup = resolver.query(name_of(i), DnsType::a);
    DnsReply reply;
    reply.answer.status = status;
    if (status == DnsStatus::found) reply.answer.addresses.push_back(*IpAddress::parse("127.0.0.2"));
    reply.ttl = std::chrono::hours{1};
    upstream.waiting(reply);
  }
}

void time_hits(Resolver& resolver, size_t entries, size_t among, const char* what) {
  constexpr size_t kRounds = 2'000'000;
  std::vector<std::string> names;
  for (size_t i = 0; i < among; ++i) names.push_back(name_of(entries - 1 - i * 7919 % entries));
  size_t hits = 0;
  const std::clock_t start = std::clock();
  for (size_t i = 0; i < kRounds; ++i) {
    DnsLookup lookup = resolver.query(names[i % among], DnsType::a);
    hits += lookup.await_ready() && lookup.await_resume() != nullptr;
  }
  const double seconds = static_cast<double>(std::clock() - start) / CLOCKS_PER_SEC;
  std::printf("  %-22s %6.1f ns (%zu of %zu are hits)\n", what, seconds * 1e9 / kRounds, hits, kRounds);
}

void measure(size_t entries, DnsStatus status, const char* what) {
  const double before = resident_megabytes();
  Immediate upstream;
  const SystemClock clock;
  CachingResolver resolver(upstream, clock, entries);
  const std::clock_t start = std::clock();
  fill(resolver, upstream, entries, status);
  const double seconds = static_cast<double>(std::clock() - start) / CLOCKS_PER_SEC;
  const DnsStatistics statistics = resolver.statistics();
  std::printf("%zu names, %s: %zu cached, %.0f MB resident (%.0f before), %.2f us each\n", entries, what,
              statistics.cached, resident_megabytes(), before, seconds * 1e6 / static_cast<double>(entries));
  time_hits(resolver, entries, 1, "a hit, one name");
  time_hits(resolver, entries, 1000, "a hit, of 1000 names");
  time_hits(resolver, entries, entries, "a hit, of all names");
}

}  // namespace

int main(int count, char** arguments) {
  const size_t entries = count > 1 ? std::strtoull(arguments[1], nullptr, 10) : 1'000'000;
  measure(entries, DnsStatus::no_domain, "no answer");
  measure(entries, DnsStatus::found, "an address");
  return 0;
}
