// Different recipients of a message under way, by their hashes: how many there are, and whether one is among them.
//
// Most messages have one, which stands here; for more there is a table with open addressing, so that a message with
// thousands of recipients costs each of them the same. Postfix takes 1000 of a message (smtpd_recipient_limit) unless
// it is told otherwise; past kMost they are counted without being told apart, so that memory stays bounded. Whoever
// hashes sees to it that clients cannot know the hashes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace policyd {

class RecipientSet {
 public:
  static constexpr size_t kMost = 10'000;

  // False: it was there.
  bool add(uint64_t recipient);
  [[nodiscard]] bool contains(uint64_t recipient) const;
  [[nodiscard]] size_t size() const { return size_; }
  // Gives the memory back: from now on only their number is known.
  void forget_names();

 private:
  static constexpr uint64_t kFree = 0;

  [[nodiscard]] size_t place_of(uint64_t recipient) const;
  void grow();

  uint64_t only_ = kFree;        // while there is no table
  std::vector<uint64_t> table_;  // a power of two, at most half of it taken
  size_t size_ = 0;
};

}  // namespace policyd
