// sender_domain: whether mail could be sent back to the envelope sender's domain.
//
// What the `sender` check finds malformed or unqualified, address literals and the null sender are not looked up. Where
// the DNS does not tell, that is an error.
#include "policyd/checks/check.h"
#include "policyd/dns/mail_domain.h"

namespace policyd {
namespace {

using State = MailDomain::State;

// The indices of the outcomes in the spec below.
enum : size_t { kNoDomain, kNoMail, kNullMx, kBogusMx };

Observation conclude(const MailDomain& domain) {
  switch (domain.state) {
    case State::takes_mail: return {};
    case State::no_domain: return found(kNoDomain, domain.why, domain.about);
    case State::no_mail: return found(kNoMail, domain.why, domain.about);
    case State::null_mx: return found(kNullMx, domain.why, domain.about);
    case State::bogus_mx: return found(kBogusMx, domain.why, domain.about);
    case State::unknown: break;
  }
  return not_done(*domain.answer, domain.asked);
}

Task<Observation> run(const CheckContext& context) {
  std::string domain = mail_domain_of(context.request.sender());
  if (domain.empty()) co_return Observation{};
  const auto looking = look_up_mail_domain(context.resolver, std::move(domain));
  const MailDomain known = co_await looking;
  co_return conclude(known);
}

}  // namespace

CheckRow sender_domain_check() {
  return {{"sender_domain",
           "the envelope sender's domain exists and takes mail",
           {{"no_domain", "sender domain does not exist", 15, 0},
            {"no_mail", "sender domain has neither MX nor address", 10, 0},
            {"null_mx", "sender domain takes no mail (null MX)", 10, 0},
            {"bogus_mx", "sender domain has no mail server with a public address", 10, 0}}},
          run,
          {CheckInput::sender_domain}};
}

}  // namespace policyd
