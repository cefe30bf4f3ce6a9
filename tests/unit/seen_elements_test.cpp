// The table of elements: found, moved, kept small, and brought to octets and back.
#include "policyd/store/seen_elements.h"

#include <doctest/doctest.h>

#include <map>
#include <random>
#include <string>

namespace policyd {
namespace {

constexpr SipKey kKey{1, 2};

TEST_CASE("seen elements: hashes differ by text, meter and key, and leave the lowest bit") {
  const SeenElements seen(kKey), other(SipKey{1, 3});
  const uint64_t hash = seen.hash(Meter::distinct_recipients, "a@x");
  CHECK(hash == seen.hash(Meter::distinct_recipients, "a@x"));
  CHECK(hash != seen.hash(Meter::distinct_recipients, "b@x"));
  CHECK(hash != seen.hash(Meter::client_networks, "a@x"));
  CHECK(hash != other.hash(Meter::distinct_recipients, "a@x"));
  for (int i = 0; i < 100; ++i) CHECK((seen.hash(Meter::client_networks, std::to_string(i)) & 1) == 0);
}

TEST_CASE("seen elements: it agrees with a map, whatever is put") {
  std::mt19937_64 random(3);
  SeenElements seen(kKey);
  std::map<uint64_t, int64_t> map;
  for (int step = 0; step < 20'000; ++step) {
    const uint64_t hash = 2 + 2 * (random() % 300) * 64;  // few homes: long runs
    seen.put(hash, step, 0);
    map[hash] = step;
    if (step % 100 != 0) continue;
    REQUIRE(seen.size() == map.size());
    for (uint64_t i = 0; i < 300; ++i) {
      const uint64_t one = 2 + 2 * i * 64;
      const auto found = map.find(one);
      REQUIRE(seen.find(one) == (found == map.end() ? std::nullopt : std::optional(found->second)));
    }
  }
}

TEST_CASE("seen elements: what is useless makes room, and an element takes at most 64 octets") {
  SeenElements seen(kKey);
  for (const size_t count : {size_t{500}, size_t{100'000}}) {
    while (seen.size() < count) seen.put(seen.hash(Meter::distinct_recipients, std::to_string(seen.size())), 1'000, 0);
    CHECK(seen.octets() <= 64 * count);
  }
  for (int i = 0; i < 100'000; ++i) seen.put(seen.hash(Meter::client_networks, std::to_string(i)), 2'000, 1'500);
  CHECK(seen.size() < 200'000);
  CHECK_FALSE(seen.find(seen.hash(Meter::distinct_recipients, "7")).has_value());
  CHECK(seen.find(seen.hash(Meter::client_networks, "7")) == 2'000);
}

TEST_CASE("seen elements: octets are read back, without what is useless; damaged ones are not") {
  SeenElements seen(kKey);
  seen.put(seen.hash(Meter::distinct_recipients, "a@x"), 10, 0);
  seen.put(seen.hash(Meter::distinct_recipients, "b@x"), 20, 0);
  const std::string octets = seen.to_octets(15);
  CHECK(octets.size() == 33);
  const auto again = SeenElements::from_octets(octets);
  REQUIRE(again.has_value());
  CHECK(again->size() == 1);
  CHECK(again->find(again->hash(Meter::distinct_recipients, "b@x")) == 20);
  std::string odd = octets, other = octets;
  odd[17] = static_cast<char>(odd[17] | 1);
  other[0] = 2;
  for (const std::string& damaged : {std::string(), octets.substr(1), octets + "x", odd, other}) {
    CHECK_FALSE(SeenElements::from_octets(damaged).has_value());
  }
}

}  // namespace
}  // namespace policyd
