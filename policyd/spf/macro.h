// Macros of SPF records (RFC 7208, 4.8 and section 7): their syntax, and what they stand for.
//
// Pure. Syntax is checked once, when a record is read; what is expanded is text without a flaw. Results are bounded
// whatever a record says: a name to what fits a DNS name, an explanation to kLongestExplanation.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "shared/address.h"

namespace policyd {

// What the letters stand for.
struct MacroValues {
  IpAddress client;                        // i, c, v
  std::string_view sender;                 // s: always with a local part
  std::string_view local_part;             // l
  std::string_view sender_domain;          // o
  std::string_view domain;                 // d: <domain>, the domain whose record it is
  std::string_view helo;                   // h
  std::string_view validated = "unknown";  // p
  std::string_view receiver = "unknown";   // r
  int64_t now = 0;                         // t: seconds since the epoch
};

// What is wrong, as the rest of a sentence that begins with the text; empty: nothing. A domain-spec knows no %{c},
// %{r} and %{t}, and ends in a top label or in a macro; an explain-string may hold spaces.
std::string_view macro_string_flaw(std::string_view text);
std::string_view domain_spec_flaw(std::string_view text);
std::string_view explain_string_flaw(std::string_view text);

// Whether a text without flaw holds the macro of `letter`, a lower-case one, in either case.
bool uses_macro(std::string_view text, char letter);

// The <target-name>: in lower case, without the dot at its end, and shortened from the left to 253 characters.
// Nothing where the DNS cannot be asked for what came out: empty or overlong labels, a single label, control
// characters; where it would take thousands of macros, or dozens of overlong values; nor for a local part or an EHLO
// name beyond ASCII, which are in no name (RFC 8616, 4).
std::optional<std::string> target_name(std::string_view domain_spec, const MacroValues& values);

// Printable ASCII.
inline constexpr size_t kLongestExplanation = 1000;
std::string explanation_text(std::string_view explain_string, const MacroValues& values);

// Whether `name`, without the dot at its end, is one that the DNS can be asked for: two labels or more of 1 to 63
// characters, 253 in all, no control characters. U-labels are not looked into.
bool is_askable(std::string_view name);

}  // namespace policyd
