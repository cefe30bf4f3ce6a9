// sender: whether the envelope sender can be an address at all.
//
// Postfix hands addresses over in internal form, without their quoting: a local part may hold
// spaces, quotes, '@' and '=', and little can be wrong with it. The domain is what follows the last
// '@': a host name or an address literal. Nothing is found for the null sender. Never an error.
#include "policyd/checks/check.h"
#include "shared/control_octets.h"
#include "shared/host_name.h"
#include "shared/text.h"

namespace policyd {
namespace {

// The indices of the outcomes in the spec below.
enum : size_t { kSyntax, kUnqualified };

// RFC 5321, 4.5.3.1: a local part of 64 octets, '@', a domain of 255. The local part alone is not
// held to its limit, nor the whole to the 254 of a path: forwarders and mailing lists put other
// addresses into it, and receivers take that.
constexpr size_t kLongestAddress = 320;

std::string_view domain_flaw(std::string_view domain) {
  if (!domain.starts_with('[')) return host_name_flaw(domain);
  return parse_address_literal(domain) ? "" : "is not an address literal";
}

// Why `sender` is no address; empty: it is one, as far as it goes.
std::string flaw(std::string_view sender) {
  if (sender.size() > kLongestAddress) return "longer than 320 octets";
  if (holds_control(sender)) return "a control character";
  if (!is_utf8(sender)) return "not valid UTF-8";
  const size_t at = sender.rfind('@');
  if (at == std::string_view::npos) return "";
  if (at == 0) return "no local part";
  const std::string_view wrong = domain_flaw(sender.substr(at + 1));
  return wrong.empty() ? "" : "the domain " + std::string(wrong);
}

Observation observe(std::string_view sender) {
  if (sender.empty()) return {};
  if (const std::string wrong = flaw(sender); !wrong.empty()) return found(kSyntax, wrong, sender);
  const std::string_view domain = domain_of(sender);
  if (domain.empty()) return found(kUnqualified, "no domain", sender);
  const bool qualified = domain.starts_with('[') || is_qualified(domain);
  return qualified ? Observation{} : found(kUnqualified, "no dot in the domain", sender);
}

Task<Observation> run(const CheckContext& context) {
  co_return observe(context.request.sender());
}

}  // namespace

CheckRow sender_check() {
  return {{"sender",
           "the envelope sender is a well-formed address with a fully qualified domain",
           {{"syntax", "sender address is malformed", 10, 0},
            {"unqualified", "sender address is not fully qualified", 10, 0}}},
          run};
}

}  // namespace policyd
