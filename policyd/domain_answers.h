// Whether the DNS is believed where it says of a domain that it takes no mail.
//
// A resolver that is broken, or knows a part of the world only, says so of every domain there is: each recipient of
// outgoing mail would be one that does not exist, and soon every account be locked. Therefore it is believed as long as
// it also says yes: not after kMost different domains in a row that take no mail, until one takes some. Then what is
// found of domains is an error, neutral and counted.
//
// A no counts of recipients of outgoing mail, as strangers can write any sender; a yes counts of senders of incoming
// mail too, so that whoever mails to nowhere alone is seen again with the next mail of others. Domains of ours tell
// nothing: a resolver that knows a part of the world knows those. Any other tells something once in kTells alone, as it
// may be the cache that knows it. Where it begins and where it ends is logged. Never fails. One thread.
#pragma once

#include <chrono>
#include <cstdint>
#include <string_view>
#include <vector>

#include "policyd/inspection.h"
#include "policyd/recent_table.h"
#include "policyd/store/mirror.h"
#include "policyd/verdict.h"
#include "shared/clock.h"
#include "shared/config.h"

namespace policyd {

class DomainAnswers {
 public:
  static constexpr size_t kMost = 10;
  static constexpr Milliseconds kTells = std::chrono::hours(1);

  // The clock outlives this.
  explicit DomainAnswers(const Clock& clock) : clock_(clock) {}

  // The checks of a request are concluded, and what they have found stands in the verdict: it is taken into account,
  // unless it was asked for an explanation (`live` false), and taken out of the verdict where it is not believed.
  void judge(const Inspection& inspection, const BlockSubject& subject, const Config& config, bool live,
             Verdict& verdict);
  [[nodiscard]] bool believed() const { return denied_.size() <= kMost; }

 private:
  void takes_mail(std::string_view domain);
  void takes_none(std::string_view domain);

  const Clock& clock_;
  const uint64_t seed_ = random_seed();
  RecentTable<SteadyTime, 512> told_;  // when a domain told last, by its hash
  std::vector<uint64_t> denied_;       // different domains that take none, since one told, by their hashes
};

}  // namespace policyd
