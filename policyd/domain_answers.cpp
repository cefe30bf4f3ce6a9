#include "policyd/domain_answers.h"

#include <spdlog/spdlog.h>

#include "policyd/dns/mail_domain.h"
#include "policyd/outgoing.h"
#include "shared/text.h"

namespace policyd {

namespace {

// Whether it says something of the DNS that this address is in a domain that takes mail.
bool tells(const BlockSubject& subject, const Config& config) {
  if (subject.direction == Direction::incoming) return !mail_domain_of(subject.sender).empty();
  const std::string domain = mail_domain_of(subject.recipient);
  const bool ours = domain == domain_of(subject.sender) || domain == domain_of(subject.login) ||
                    is_internal(config, subject.recipient);
  return !domain.empty() && !ours;
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
  if (live && outgoing && inspection.found(looking_up)) takes_none();
  if (live && inspection.clean(looking_up) && tells(subject, config)) takes_mail();
  if (!believed()) disbelieve(verdict);
}

void DomainAnswers::takes_mail() {
  const bool before = believed();
  denials_ = 0;
  if (!before) spdlog::info("dns: a domain takes mail again: what the DNS says of domains is believed");
}

void DomainAnswers::takes_none() {
  if (!believed() || ++denials_ <= kMost) return;
  spdlog::warn("dns: {} recipients in a row are in domains that do not exist or take no mail: what the DNS says of "
               "domains is not believed until one takes mail; see that the resolver answers for the whole world",
               denials_);
}

}  // namespace policyd
