#include "policyd/domain_answers.h"

#include <algorithm>

#include "policyd/dns/mail_domain.h"
#include "policyd/outgoing.h"
#include "shared/log_line.h"
#include "shared/text.h"

namespace policyd {

namespace {

// The domain that was looked up; empty where it is ours, or there is none.
std::string domain_of_others(const BlockSubject& subject, const Config& config) {
  if (subject.direction == Direction::incoming) return mail_domain_of(subject.sender);
  std::string domain = mail_domain_of(subject.recipient);
  const bool ours = domain == domain_of(subject.sender) || domain == domain_of(subject.login) ||
                    is_internal(config, subject.recipient);
  return ours ? std::string() : domain;
}

// Of both checks, whichever way the mail goes.
void disbelieve(Verdict& verdict) {
  const CheckSet looking_up = Inspection::recipient_domain() | Inspection::sender_domain();
  const auto& table = check_table();
  for (size_t i = 0; i < table.size(); ++i) {
    if (!looking_up.test(i)) continue;
    for (Finding& finding : verdict.findings) {
      if (finding.check != &table[i].spec || !finding.outcome) continue;
      finding = {&table[i].spec, nullptr, 0, false, "the DNS says of all domains that they take no mail"};
    }
  }
}

}  // namespace

void DomainAnswers::judge(const Inspection& inspection, const BlockSubject& subject, const Config& config, bool live,
                          Verdict& verdict) {
  const bool outgoing = subject.direction == Direction::outgoing;
  const CheckSet looking_up = outgoing ? Inspection::recipient_domain() : Inspection::sender_domain();
  if (live && outgoing && inspection.found(looking_up)) takes_none(mail_domain_of(subject.recipient));
  if (live && inspection.clean(looking_up)) takes_mail(domain_of_others(subject, config));
  if (!believed()) disbelieve(verdict);
}

void DomainAnswers::takes_mail(std::string_view domain) {
  if (domain.empty()) return;
  const uint64_t key = stable_hash(domain, seed_);
  const SteadyTime now = clock_.steady();
  SteadyTime* const known = told_.find(key);
  if (known && now - *known < kTells) return;
  (known ? *known : told_.insert(key)) = now;
  const bool before = believed();
  denied_.clear();
  if (!before) log_info("dns: a domain takes mail again: what the DNS says of domains is believed");
}

void DomainAnswers::takes_none(std::string_view domain) {
  const uint64_t key = stable_hash(domain, seed_);
  if (!believed() || std::find(denied_.begin(), denied_.end(), key) != denied_.end()) return;
  denied_.push_back(key);
  if (believed()) return;
  log_warning("dns: {} domains of recipients in a row do not exist or take no mail: what the DNS says of domains is "
              "not believed until one takes mail; see that the resolver answers for the whole world",
              denied_.size());
}

}  // namespace policyd
