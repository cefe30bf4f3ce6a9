// Whom a request is about: direction, account and addresses in the form in which they are compared.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "policyd/store/mirror.h"
#include "shared/address.h"
#include "shared/config.h"
#include "shared/request.h"

namespace policyd {

// Names in lower case; the account of outgoing mail: the login, or without one the client's address (IPv6: its /64). It
// is charged to that account, or as traffic.account says to the login's domain, or to the client's /24 or /64. Accounts
// with very long names are known by their charged_name().
// Cannot be copied: the views point into its own text, or into the request, which outlives it.
class Subject {
 public:
  Subject(const Request& request, const Config& config);
  Subject(const Subject&) = delete;
  Subject& operator=(const Subject&) = delete;

  [[nodiscard]] Direction direction() const { return names_.direction; }
  // Whom outgoing mail is charged to.
  [[nodiscard]] std::string_view account() const { return account_; }
  [[nodiscard]] std::string_view recipient() const { return names_.recipient; }
  // For the look-up of blocks, and of locks of the account itself.
  [[nodiscard]] const BlockSubject& names() const { return names_; }

 private:
  void set_accounts(const Config& config);

  std::string text_;
  std::string client_account_, network_, cut_own_, cut_domain_;
  std::string_view account_;
  BlockSubject names_;
};

// Whom the mail of an account is charged to: itself, with traffic.account = "domain" the domain of a login. With
// "network" that hangs on the client: the network that an address or a network lies in; nothing for a login.
std::optional<std::string> charged_account(std::string_view account, const Config& config);

// policy_context decides; else outgoing is mail of a logged-in client, or of one in `networks`.
Direction direction_of(const Request& request, const std::optional<IpAddress>& client,
                       const std::vector<Network>& networks);

}  // namespace policyd
