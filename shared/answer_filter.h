// Which answers of a DNS list count: "127.0.0.[2..11;30]", as operators know it from postscreen(8).
//
// Four octets with dots between them, each a number or a set in brackets: numbers and ranges N..M, separated by ';'.
// Empty: any answer. What a list answers lies in 127.0.0.0/8 (RFC 5782, 2.1), so a filter whose first octet is another
// number is an Error. Pure.
#pragma once

#include <array>
#include <bitset>
#include <string>
#include <string_view>

#include "shared/address.h"
#include "shared/result.h"

namespace policyd {

class AnswerFilter {
 public:
  AnswerFilter() = default;  // any answer
  static Result<AnswerFilter> parse(std::string_view text);

  // Of an IPv4 address; nothing else is an answer.
  [[nodiscard]] bool matches(const IpAddress& answer) const;
  // Whether this one address is all that matches.
  [[nodiscard]] bool is_exactly(const IpAddress& answer) const;
  // As it was written.
  [[nodiscard]] const std::string& to_string() const { return text_; }
  bool operator==(const AnswerFilter& other) const { return any() == other.any() && octets_ == other.octets_; }

 private:
  using Octet = std::bitset<256>;
  [[nodiscard]] bool any() const { return text_.empty(); }

  std::string text_;
  std::array<Octet, 4> octets_;
};

}  // namespace policyd
