// Which recipients a message has, and how many.
#include "policyd/recipient_set.h"

#include <doctest/doctest.h>

namespace policyd {
namespace {

TEST_CASE("recipient set: each is counted once, whatever its hash") {
  RecipientSet set;
  CHECK_FALSE(set.contains(0));
  for (const uint64_t recipient : {0UL, 8UL, 16UL, 8UL, 0UL, 24UL, ~0UL, 32UL, 40UL, 48UL, 56UL}) set.add(recipient);
  CHECK(set.size() == 9);
  for (const uint64_t recipient : {0UL, 8UL, 56UL, ~0UL}) {
    CHECK(set.contains(recipient));
    CHECK_FALSE(set.add(recipient));
  }
  CHECK_FALSE(set.contains(64));
  CHECK(set.size() == 9);
}

TEST_CASE("recipient set: too many are counted without being told apart") {
  RecipientSet set;
  for (uint64_t i = 1; i <= RecipientSet::kMost; ++i) CHECK(set.add(i * 0x9e3779b97f4a7c15));
  CHECK(set.contains(0x9e3779b97f4a7c15));
  for (int i = 0; i < 3; ++i) CHECK(set.add(4711));
  CHECK_FALSE(set.contains(4711));
  CHECK(set.size() == RecipientSet::kMost + 3);
}

TEST_CASE("recipient set: what is forgotten is still counted") {
  RecipientSet set;
  for (uint64_t i = 1; i <= 100; ++i) set.add(i);
  set.forget_names();
  CHECK(set.size() == 100);
  CHECK_FALSE(set.contains(7));
  for (uint64_t i = 1; i <= 100; ++i) CHECK(set.add(i));
  CHECK(set.size() == 200);
}

}  // namespace
}  // namespace policyd
