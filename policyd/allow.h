// Which checks are not applied to a request: the entries of [[allow]], ready to be asked.
//
// Clients (their address, or their confirmed name), recipients, and sender domains. Anybody can write a sender domain,
// so it holds only where the client's confirmed name lies in the entry's domain, or SPF passes, which the engine has to
// find out. Never fails.
#pragma once

#include <string_view>
#include <vector>

#include "policyd/store/mirror.h"
#include "shared/allow_entry.h"
#include "shared/check_spec.h"

namespace policyd {

class AllowList {
 public:
  AllowList() = default;
  // `checks`: the names of all checks, in the order of check_table().
  AllowList(const std::vector<AllowEntry>& entries, const std::vector<std::string_view>& checks);

  struct Skips {
    CheckSet now;
    CheckSet after_spf_pass;  // besides, if SPF passes for the envelope sender
  };
  [[nodiscard]] Skips of(const BlockSubject& subject) const;

 private:
  struct Rule {
    AllowEntry entry;
    CheckSet skipped;
  };
  std::vector<Rule> rules_;
};

}  // namespace policyd
