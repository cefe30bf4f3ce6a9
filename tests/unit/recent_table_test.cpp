// A set of the table is chosen by the low bits of the key, so that a test can fill one alone.
#include "policyd/recent_table.h"

#include <doctest/doctest.h>

#include <map>
#include <random>
#include <vector>

namespace policyd {
namespace {

constexpr size_t kSets = 16;
constexpr size_t kWays = 8;

// Counts how many of it live.
struct Counted {
  Counted() noexcept { ++living; }
  Counted(const Counted&) = delete;
  Counted& operator=(const Counted&) = delete;
  ~Counted() { --living; }
  int number = 0;
  std::unique_ptr<int> owned = std::make_unique<int>(7);
  static inline int living = 0;
};

uint64_t in_set(size_t set, uint64_t number) { return number * kSets + set; }

TEST_CASE("recent_table: what was inserted is found, nothing else is") {
  RecentTable<int, kSets, kWays> table;
  CHECK(table.find(5) == nullptr);
  table.insert(5) = 50;
  table.insert(5 + kSets) = 51;  // a neighbour in the same set
  REQUIRE(table.find(5) != nullptr);
  CHECK(*table.find(5) == 50);
  CHECK(*table.find(5 + kSets) == 51);
  CHECK(table.find(5 + 2 * kSets) == nullptr);
  CHECK(table.find(6) == nullptr);
}

TEST_CASE("recent_table: a key of 0 is a key") {
  RecentTable<int, kSets, kWays> table;
  table.insert(1 + kSets);
  CHECK(table.find(0) == nullptr);
  table.insert(0) = 9;
  REQUIRE(table.find(0) != nullptr);
  CHECK(*table.find(0) == 9);
}

TEST_CASE("recent_table: a full set forgets its oldest, the other sets nothing") {
  RecentTable<uint64_t, kSets, kWays> table;
  table.insert(in_set(4, 1)) = 4;
  constexpr uint64_t kMany = 30;
  for (uint64_t number = 1; number <= kMany; ++number) {
    table.insert(in_set(3, number)) = number;
    for (uint64_t earlier = 1; earlier <= number; ++earlier) {
      const uint64_t* found = table.find(in_set(3, earlier));
      REQUIRE((found != nullptr) == (earlier + kWays > number));
      if (found) CHECK(*found == earlier);
    }
  }
  CHECK(*table.find(in_set(4, 1)) == 4);
}

TEST_CASE("recent_table: finding an entry does not make it younger") {
  RecentTable<int, kSets, kWays> table;
  for (uint64_t number = 1; number <= kWays; ++number) table.insert(in_set(0, number));
  CHECK(table.find(in_set(0, 1)) != nullptr);
  table.insert(in_set(0, 99));
  CHECK(table.find(in_set(0, 1)) == nullptr);
  CHECK(table.find(in_set(0, 2)) != nullptr);
}

TEST_CASE("recent_table: every value that was made is destroyed, once") {
  Counted::living = 0;
  {
    RecentTable<Counted, kSets, kWays> table;
    CHECK(Counted::living == 0);
    for (uint64_t number = 1; number <= 3 * kWays; ++number) table.insert(in_set(2, number)).number = 1;
    CHECK(Counted::living == static_cast<int>(kWays));
    CHECK(table.insert(in_set(2, 100)).number == 0);  // fresh, whatever stood in its place
    table.insert(in_set(9, 1));
    CHECK(Counted::living == static_cast<int>(kWays) + 1);
    table.clear();
    CHECK(Counted::living == 0);
    CHECK(table.find(in_set(9, 1)) == nullptr);
    table.clear();
    table.insert(in_set(9, 1));
    CHECK(Counted::living == 1);
  }
  CHECK(Counted::living == 0);
}

TEST_CASE("recent_table: random keys: the youngest of each set are there, with their values") {
  RecentTable<uint64_t, kSets, kWays> table;
  std::mt19937_64 random(42);
  std::map<size_t, std::vector<uint64_t>> sets;
  for (int i = 0; i < 5'000; ++i) {
    const uint64_t key = random();
    table.insert(key) = ~key;
    sets[key % kSets].push_back(key);
  }
  for (const auto& [set, keys] : sets) {
    for (size_t at = 0; at < keys.size(); ++at) {
      const uint64_t* found = table.find(keys[at]);
      REQUIRE((found != nullptr) == (at + kWays >= keys.size()));
      if (found) CHECK(*found == ~keys[at]);
    }
  }
}

}  // namespace
}  // namespace policyd
