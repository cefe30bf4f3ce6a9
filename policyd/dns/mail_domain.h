// Whether a domain takes mail, as far as the DNS tells.
//
// The mail exchangers are looked up (without one the domain is its own: RFC 5321, 5.1), then their addresses. One
// public address is enough. Never fails: where the DNS does not tell, that is what is said.
#pragma once

#include <string>
#include <string_view>

#include "policyd/async/task.h"
#include "policyd/dns/resolver.h"

namespace policyd {

struct MailDomain {
  enum class State : uint8_t {
    takes_mail,
    no_domain,  // it does not exist
    no_mail,    // neither MX nor address
    null_mx,    // it says that it takes none (RFC 7505)
    bogus_mx,   // no mail server has a public address
    unknown,    // the DNS does not tell
  };
  State state = State::takes_mail;
  std::string why, about;  // for people: "no such domain", "example.com"
  DnsAnswerPtr answer;     // unknown: the one that did not tell, and of what
  std::string asked;
};

// The domain of an address as it is looked up: lower case. Empty where it cannot be in the DNS: malformed, without a
// dot, or an address literal.
std::string mail_domain_of(std::string_view address);

// `resolver` outlives the task.
Task<MailDomain> look_up_mail_domain(Resolver& resolver, std::string domain);

}  // namespace policyd
