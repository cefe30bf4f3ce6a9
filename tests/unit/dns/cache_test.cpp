// The table of answers: what it finds, what it forgets and when, and how much it holds.
#include "policyd/dns/cache.h"

#include <doctest/doctest.h>

#include <string>

namespace policyd {
namespace {

using std::chrono::seconds;

const SteadyTime kStart{Milliseconds{1'000'000}};

SipDigest key(uint64_t number) { return siphash({1, 2}, std::to_string(number)); }

DnsAnswerPtr address() {
  DnsAnswer answer;
  answer.status = DnsStatus::found;
  answer.addresses.push_back(*IpAddress::parse("127.0.0.2"));
  return std::make_shared<const DnsAnswer>(answer);
}
DnsAnswerPtr text(size_t size) {
  DnsAnswer answer;
  answer.status = DnsStatus::found;
  answer.texts.emplace_back(size, 'x');
  return std::make_shared<const DnsAnswer>(answer);
}

TEST_CASE("cache: SipHash-2-4-128 agrees with its reference") {
  std::string text;
  const SipKey reference{0x0706050403020100, 0x0f0e0d0c0b0a0908};
  CHECK(siphash(reference, text) == SipDigest{0xe6a825ba047f81a3, 0x930255c71472f66d});
  text.push_back('\0');
  CHECK(siphash(reference, text) == SipDigest{0x44af996bd8c187da, 0x45fc229b11597634});
}

TEST_CASE("cache: what was put in is found until its time is over") {
  DnsCache cache(10);
  const DnsAnswerPtr answer = address();
  cache.insert(key(1), answer, kStart + seconds{60}, kStart);
  REQUIRE(cache.find(key(1), kStart + seconds{59}));
  CHECK(*cache.find(key(1), kStart + seconds{59}) == answer);
  CHECK(!cache.find(key(2), kStart));
  CHECK(cache.octets() > 0);
  CHECK(!cache.find(key(1), kStart + seconds{60}));
  CHECK(cache.size() == 0);
  CHECK(cache.octets() == 0);
}

TEST_CASE("cache: a newer answer replaces the older; what is over already is not kept") {
  DnsCache cache(10);
  cache.insert(key(1), address(), kStart + seconds{60}, kStart);
  cache.insert(key(1), empty_answer(DnsStatus::no_data), kStart + seconds{60}, kStart);
  CHECK((*cache.find(key(1), kStart))->status == DnsStatus::no_data);
  CHECK(cache.size() == 1);
  cache.insert(key(1), address(), kStart, kStart);
  CHECK(cache.size() == 0);
}

TEST_CASE("cache: never more entries than configured; what is asked for stays") {
  constexpr size_t kMost = 1000;
  DnsCache cache(kMost);
  const SteadyTime until = kStart + seconds{60};
  for (uint64_t i = 0; i < kMost; ++i) cache.insert(key(i), empty_answer(DnsStatus::no_domain), until, kStart);
  for (uint64_t i = 0; i < kMost; ++i) REQUIRE(cache.find(key(i), kStart));  // all fit
  for (uint64_t i = kMost; i < 50 * kMost; ++i) {
    cache.insert(key(i), empty_answer(DnsStatus::no_domain), until, kStart);
    REQUIRE(cache.size() <= kMost);
    REQUIRE(cache.find(key(i), kStart));
    REQUIRE(cache.find(key(7), kStart));
  }
  CHECK(cache.size() == kMost);
}

TEST_CASE("cache: a cache of 0 entries keeps nothing, one of 1 the last") {
  DnsCache none(0), one(1);
  for (uint64_t i = 0; i < 10; ++i) {
    none.insert(key(i), address(), kStart + seconds{1}, kStart);
    one.insert(key(i), address(), kStart + seconds{1}, kStart);
    CHECK(!none.find(key(i), kStart));
    CHECK(one.find(key(i), kStart));
    CHECK(one.size() == 1);
  }
}

TEST_CASE("cache: what has run out makes room before as many have come") {
  DnsCache cache(10'000);
  for (uint64_t i = 0; i < 1000; ++i) cache.insert(key(i), address(), kStart + seconds{1}, kStart);
  const SteadyTime later = kStart + seconds{2};
  for (uint64_t i = 1000; i < 2000; ++i) cache.insert(key(i), address(), later + seconds{60}, later);
  CHECK(cache.size() == 1000);
}

TEST_CASE("cache: answers together have kOctetsEach for each entry, however long they are") {
  constexpr size_t kMost = 1000;
  DnsCache cache(kMost);
  const SteadyTime until = kStart + seconds{60};
  for (uint64_t i = 0; i < 10'000; ++i) {
    cache.insert(key(i), i % 3 == 0 ? text(5000) : empty_answer(DnsStatus::no_data), until, kStart);
    REQUIRE(cache.octets() <= kMost * DnsCache::kOctetsEach);
  }
  CHECK(cache.octets() > kMost * DnsCache::kOctetsEach / 2);
  cache.insert(key(1), text(kMost * DnsCache::kOctetsEach), until, kStart);
  CHECK(!cache.find(key(1), kStart));
}

}  // namespace
}  // namespace policyd
