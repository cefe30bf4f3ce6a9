// The outgoing message that a connection of Postfix is asking about: one that never comes to DATA had all of its
// recipients refused, after policyd had let them pass.
//
// One process of Postfix asks on a connection, about one message at a time. When it begins another one, or goes away,
// what is open here is over. DATA may come on another connection of the same process, where it asks with another
// context: whoever is told of a message has to know those that came to DATA. Kept only for accounts whose invalid
// recipients are limited; nothing is allocated for others. Pure.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "policyd/account_policies.h"

namespace policyd {

class OpenTransaction {
 public:
  // A message that is over, and how many of its recipients had passed.
  struct Abandoned {
    std::string instance, account;
    std::shared_ptr<const AccountPolicy> policy;
    int64_t recipients = 0;
  };

  // What is open is over unless it is `instance`.
  std::optional<Abandoned> begin(std::string_view instance);
  std::optional<Abandoned> end() { return begin({}); }
  // A recipient of `instance` has been charged.
  void passed(std::string_view instance, std::string_view account, std::string_view recipient,
              const std::shared_ptr<const AccountPolicy>& policy);
  // DATA or END-OF-MESSAGE: Postfix says itself what it accepted.
  void settle() { open_.reset(); }

 private:
  struct Open {
    std::string instance, account;
    std::shared_ptr<const AccountPolicy> policy;
    std::vector<size_t> recipients;  // hashes
  };
  std::unique_ptr<Open> open_;
};

}  // namespace policyd
