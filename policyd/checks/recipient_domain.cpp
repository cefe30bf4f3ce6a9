// recipient_domain: whether the recipient's domain can take mail.
//
// One wrong recipient is a slip of the pen, many are a list that was bought: the weights are small, and outcomes are
// marked, so that the recipients can be counted for the account that mails them. A mail server without a public address
// is nothing here: outgoing mail may well go to one within. Where the DNS does not tell, that is an error.
#include "policyd/checks/check.h"
#include "policyd/dns/mail_domain.h"

namespace policyd {
namespace {

using State = MailDomain::State;

// The indices of the outcomes in the spec below.
enum : size_t { kNonexistent, kNullMx, kNoMail };

Observation conclude(const MailDomain& domain) {
  switch (domain.state) {
    case State::takes_mail:
    case State::bogus_mx: return {};
    case State::no_domain: return found(kNonexistent, domain.why, domain.about);
    case State::null_mx: return found(kNullMx, domain.why, domain.about);
    case State::no_mail: return found(kNoMail, domain.why, domain.about);
    case State::unknown: break;
  }
  return not_done(*domain.answer, domain.asked);
}

Task<Observation> run(const CheckContext& context) {
  std::string domain = mail_domain_of(context.request.recipient());
  if (domain.empty()) co_return Observation{};
  const auto looking = look_up_mail_domain(context.resolver, std::move(domain));
  const MailDomain known = co_await looking;
  co_return conclude(known);
}

}  // namespace

CheckRow recipient_domain_check() {
  return {{"recipient_domain",
           "the recipient's domain exists and takes mail",
           {{"nonexistent", "recipient domain does not exist", 0, 5, false, true},
            {"null_mx", "recipient domain takes no mail (null MX)", 0, 5, false, true},
            {"no_mail", "recipient domain has neither MX nor address", 0, 5, false, true}}},
          run,
          {CheckInput::recipient_domain}};
}

}  // namespace policyd
