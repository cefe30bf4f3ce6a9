// The envelope senders that an account may use: addresses, domains and `own`.
//
// Pure. An address allows itself, "example.com" (also written "@example.com") every address of just that domain,
// ".example.com" those of the domains below it. `own` allows the login and every address of its domain; mail without a
// login has no addresses of its own, so there `own` allows any. The null sender (bounces) is always allowed.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "shared/result.h"

namespace policyd {

class SenderList {
 public:
  // Entries separated by commas or spaces; "none" or "" is no list: any sender. An Error quotes the entry that is none.
  static Result<SenderList> parse(std::string_view list);
  [[nodiscard]] std::string to_string() const;  // "own, example.com", "none"; parse() reads it back

  // `sender` and `login` are in lower case; without a login it is empty.
  [[nodiscard]] bool allows(std::string_view sender, std::string_view login) const;
  [[nodiscard]] bool empty() const { return entries_.empty(); }
  bool operator==(const SenderList&) const = default;

 private:
  std::vector<std::string> entries_;  // "own", "joe@example.com", "example.com", ".example.com"
};

// A list of domains, "example.com" for just that one and ".example.com" for those below it: in lower case, without a
// final dot. An Error quotes what is none.
Result<std::string> parse_domain_pattern(std::string_view text);
// Whether `domain`, in lower case, is what such a pattern says.
bool matches_domain(std::string_view pattern, std::string_view domain);

}  // namespace policyd
