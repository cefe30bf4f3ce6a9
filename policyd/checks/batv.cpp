// batv: whether a bounce is one of mail that was sent from here.
//
// Mail with the null sender to a domain of [[checks.batv.domains]] comes to an address that was tagged when the mail
// went out (shared/batv.h). The signature is looked at before the day, so that `expired` is said of genuine tags only.
// Mail servers may change the case of addresses: what was signed is tried as it came and in lower case. Never tagged
// are SRS addresses, which are signed themselves, and postmaster, whom everybody may write to (RFC 5321, 4.5.1).
// Asks nobody.
#include <algorithm>

#include <fmt/format.h>

#include "policyd/checks/check.h"
#include "shared/batv.h"
#include "shared/host_name.h"
#include "shared/rewritten_address.h"
#include "shared/text.h"

namespace policyd {
namespace {

// The indices of the outcomes in the spec below.
enum : size_t { kValid, kMissing, kExpired, kForged };

bool is_signed(const BatvTag& tag, const BatvKey& key) {
  const std::string wanted = to_lower(tag.signature);
  const auto matches = [&](std::string_view address) {
    return batv_signature(key.secret, tag.stamp, address) == wanted;
  };
  if (matches(tag.address)) return true;
  if (!has_capitals(tag.address)) return false;
  const std::string_view domain = domain_of(tag.address);
  const std::string_view local_and_at = tag.address.substr(0, tag.address.size() - domain.size());
  return matches(std::string(local_and_at) + to_lower(domain)) || matches(to_lower(tag.address));
}

Observation untagged(std::string_view recipient) {
  const std::string local = to_lower(recipient.substr(0, recipient.rfind('@')));
  if (local == "postmaster" || is_srs(local)) return {};
  return found(kMissing, "no tag", recipient);
}

Observation judge(std::string_view recipient, const BatvDomain& domain, WallTime now) {
  if (!has_batv_prefix(recipient)) return untagged(recipient);
  const auto tag = parse_batv_tag(recipient);
  if (!tag) return found(kForged, "the tag is malformed", recipient);
  const auto key = std::find_if(domain.keys.begin(), domain.keys.end(),
                                [&tag](const BatvKey& each) { return each.number == tag->key(); });
  if (key == domain.keys.end()) {
    return found(kForged, fmt::format("there is no key number {}", tag->key()), recipient);
  }
  if (!is_signed(*tag, *key)) {
    return found(kForged, fmt::format("not signed with key number {}", key->number), recipient);
  }
  const int left = batv_days_left(tag->day(), now, domain.lifetime);
  if (left >= 0) return found(kValid, fmt::format("signed with key number {}", key->number), recipient);
  return found(kExpired, fmt::format("the day {:03} has passed", tag->day()), recipient);
}

Task<Observation> run(const CheckContext& context) {
  if (!context.request.sender().empty()) co_return Observation{};
  const std::string_view recipient = without_trailing_dot(context.request.recipient());
  const std::string domain = to_lower(domain_of(recipient));
  for (const BatvDomain& each : context.settings.batv_domains) {
    if (each.domain == domain) co_return judge(recipient, each, context.clock.wall());
  }
  co_return Observation{};
}

}  // namespace

CheckRow batv_check() {
  CheckRow row;
  row.spec = {"batv",
              "a bounce comes to an address that was tagged when its mail was sent",
              {{"valid", "bounce of mail that was sent from here (BATV)", -5, 0, true},
               {"missing", "bounce of mail that was not sent from here (no BATV tag)", 30, 0},
               {"expired", "bounce of mail that was sent from here too long ago (BATV tag has expired)", 30, 0},
               {"forged", "bounce of mail that was not sent from here (BATV tag is forged)", 30, 0}}};
  row.spec.batv_domains = true;
  row.run = run;  // it hangs on the recipient: what it found is not used again
  return row;
}

}  // namespace policyd
