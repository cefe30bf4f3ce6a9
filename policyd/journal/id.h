// What an entry of the journal is known by: when it was decided, and what tells it from all others of that moment.
//
// 60 bits: 42 of milliseconds since 1970 (until the year 2109), 18 of a counter that begins anywhere. Written in
// Crockford's base 32 (https://www.crockford.com/base32.html), "7K2M-9QXW-1T5P", so that it can be read out on the
// telephone. As it tells the time, an entry is found without an index. Pure, but for where the counter begins.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "shared/clock.h"

namespace policyd {

class JournalId {
 public:
  static constexpr size_t kLength = 14;  // of the text
  static constexpr unsigned kCounterBits = 18;

  JournalId() = default;
  // Of `counter` the lowest kCounterBits count.
  JournalId(WallTime time, uint32_t counter);
  // Upper or lower case, with hyphens anywhere or none; O is 0, I and L are 1. Nothing where it is no id.
  static std::optional<JournalId> parse(std::string_view text);
  [[nodiscard]] std::string to_string() const;
  [[nodiscard]] WallTime time() const;
  // The 60 bits.
  [[nodiscard]] uint64_t number() const { return number_; }
  static JournalId of(uint64_t number);
  auto operator<=>(const JournalId&) const = default;

 private:
  uint64_t number_ = 0;
};

// Makes the ids of one process: no two of them are the same, and those of two nodes hardly ever.
class JournalIds {
 public:
  explicit JournalIds(uint64_t seed) : counter_(static_cast<uint32_t>(seed)) {}
  JournalId next(WallTime now) { return {now, counter_++}; }

 private:
  uint32_t counter_;
};

// `text` with " (ID)" after it, in at most `room` octets: where it is too long it is cut, the id never.
std::string with_id(std::string_view text, std::string_view id, size_t room);

}  // namespace policyd
