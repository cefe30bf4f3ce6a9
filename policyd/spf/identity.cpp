#include "policyd/spf/identity.h"

#include <algorithm>

#include "policyd/spf/macro.h"
#include "shared/host_name.h"
#include "shared/text.h"

namespace policyd {

SpfIdentity::SpfIdentity(std::string_view sender, std::string_view helo) : helo_(sender.empty()) {
  const std::string_view whole = helo_ ? helo : sender;
  const size_t at = helo_ ? std::string_view::npos : whole.rfind('@');
  const bool has_local_part = at != std::string_view::npos && at > 0;
  mailbox_ = has_local_part ? whole.substr(0, at) : "postmaster";
  at_ = mailbox_.size();
  mailbox_.append("@").append(without_trailing_dot(at == std::string_view::npos ? whole : whole.substr(at + 1)));
}

bool SpfIdentity::has_domain() const {
  const std::string_view name = domain();
  if (!is_askable(name) || !is_utf8(name) || name.find_first_of(" []@:") != std::string_view::npos) return false;
  const std::string_view top_label = name.substr(name.rfind('.') + 1);
  return !std::all_of(top_label.begin(), top_label.end(), is_digit);
}

}  // namespace policyd
