// An answer of Redis, taken out of hiredis' hands.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

struct redisReply;

namespace policyd {

struct RedisReply {
  enum class Kind : uint8_t { nil, integer, text, error, array } kind = Kind::nil;
  int64_t integer = 0;
  std::string text;  // text and error
  std::vector<RedisReply> elements;

  static RedisReply copy(const redisReply& from);
  [[nodiscard]] bool is_error() const { return kind == Kind::error; }
  // The first word of an error: "NOSCRIPT", "OOM", ... What follows differs between versions.
  [[nodiscard]] std::string_view error_word() const { return first_word(text); }
  static std::string_view first_word(std::string_view error) { return error.substr(0, error.find(' ')); }
};

}  // namespace policyd
