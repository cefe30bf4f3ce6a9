// BATV (Bounce Address Tag Validation, draft-levine-smtp-batv-01): what an envelope sender is tagged with when its mail
// goes out, so that a bounce, which comes back to it, shows that the mail was sent from here.
//
// "prvs=KDDDSSSSSS=local@domain": K is the number of the key, DDD the day on which the tag runs out (days since
// 1970-01-01 UTC, modulo 1000), and SSSSSS the first three octets, in hex, of HMAC-SHA1(key, "KDDD" + "local@domain").
// Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "shared/clock.h"
#include "shared/result.h"

namespace policyd {

struct BatvKey {
  char number = '0';   // '0' to '9'
  std::string secret;  // never shown

  // "1:SECRET". The Error does not repeat what may be secret.
  static Result<BatvKey> parse(std::string_view text);
  [[nodiscard]] std::string to_string() const { return {number, ':', '*', '*', '*'}; }
  bool operator==(const BatvKey&) const = default;
};

// A domain whose mail is sent with tags: an entry of [[checks.batv.domains]].
struct BatvDomain {
  std::string domain;         // lower case, without the dot at its end
  std::vector<BatvKey> keys;  // the numbers differ
  Milliseconds lifetime = std::chrono::hours{7 * 24};  // of a tag when it is made; whole days
  bool operator==(const BatvDomain&) const = default;
};

// Views into the address that was parsed.
struct BatvTag {
  std::string_view stamp;      // "KDDD"
  std::string_view signature;  // "SSSSSS", in either case
  std::string_view address;    // "local@domain", what was signed
  [[nodiscard]] char key() const { return stamp[0]; }
  [[nodiscard]] int day() const;  // 0 to 999
};

// Whether the address begins as tagged ones do, well-formed or not.
bool has_batv_prefix(std::string_view address);
// Nothing where the tag is not well-formed.
std::optional<BatvTag> parse_batv_tag(std::string_view address);

// "SSSSSS" in lower case.
std::string batv_signature(std::string_view secret, std::string_view stamp, std::string_view address);

// How many days are left until `day` has passed: 0 on that day; negative: it has passed. With a `lifetime` of L days
// a tag that is in force has 0 to L days left; all else counts as passed.
int batv_days_left(int day, WallTime now, Milliseconds lifetime);

}  // namespace policyd
