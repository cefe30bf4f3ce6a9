// Text of strangers made safe for logs, replies and comparison.
//
// Pure. Request text is octets: it may hold control characters, quotes and broken UTF-8.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace policyd {

// One octet, as ASCII and in no locale.
constexpr bool is_digit(char c) { return c >= '0' && c <= '9'; }
constexpr bool is_hex(char c) { return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F'); }
constexpr bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
constexpr bool is_alphanumeric(char c) { return is_letter(c) || is_digit(c); }
constexpr char lower(char c) { return static_cast<char>(c | ((c >= 'A' && c <= 'Z') ? 0x20 : 0)); }

// ASCII letters to lower case; all other octets stay (SMTPUTF8 names are compared octet by octet).
std::string to_lower(std::string_view text);
void append_lower(std::string& out, std::string_view text);
// Whether to_lower() would change anything.
bool has_capitals(std::string_view text);

// `text` between double quotes, with ", \ and everything outside printable ASCII escaped (\xHH), and
// cut after `limit` octets of input ("..." follows the closing quote).
std::string quoted(std::string_view text, size_t limit = 256);
void append_quoted(std::string& out, std::string_view text, size_t limit = 256);

// Printable ASCII only, anything else becomes '?': for SMTP replies and header values.
std::string printable(std::string_view text);

// 64 bits that are the same on every node and over restarts: for keys of
// de-duplication, never where an opponent would gain by a collision of his own mail with his own mail.
uint64_t stable_hash(std::string_view text, uint64_t seed = 0);

// `text` with `with` in every place of `what`.
std::string replaced(std::string text, std::string_view what, std::string_view with);

// Every octet is a hexadecimal digit, in either case.
bool is_hex(std::string_view text);

// Without the spaces, tabs and line ends around it.
std::string_view trim(std::string_view text);

// A whole number in digits alone, without a sign, from 0 to `most`.
std::optional<int64_t> parse_whole_number(std::string_view text, int64_t most = INT64_MAX);

// Octets of what people write beside a block or a lock; of what is longer, in Redis, the rest does not count.
inline constexpr size_t kLongestNote = 1000;

// Every character is well-formed UTF-8 (RFC 3629: no overlong forms, no surrogates).
bool is_utf8(std::string_view text);

// What follows the last '@', or nothing. A source-quoted local part may hold '@' itself (RFC 5321).
std::string_view domain_of(std::string_view address);

// Lets std::unordered_map<std::string, ...> be asked with a string_view.
struct StringHash {
  using is_transparent = void;
  size_t operator()(std::string_view text) const { return std::hash<std::string_view>{}(text); }
};

}  // namespace policyd
