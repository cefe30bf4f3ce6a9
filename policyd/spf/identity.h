// Who is checked: the MAIL FROM identity, or for the null sender the HELO identity (RFC 7208, 2.3, 2.4 and 4.3).
//
// Pure. Takes what the client said as it is: a missing local part becomes "postmaster", and a domain that cannot be
// one is told.
#pragma once

#include <string>
#include <string_view>

namespace policyd {

class SpfIdentity {
 public:
  // `sender` may be empty, or have no "@": then it is a domain alone.
  SpfIdentity(std::string_view sender, std::string_view helo);

  [[nodiscard]] bool helo() const { return helo_; }
  // <sender>: "local@domain".
  [[nodiscard]] std::string_view mailbox() const { return mailbox_; }
  [[nodiscard]] std::string_view local_part() const { return mailbox().substr(0, at_); }
  // Without the dot at its end.
  [[nodiscard]] std::string_view domain() const { return mailbox().substr(at_ + 1); }
  // Whether there can be a record: the domain is fully qualified, and neither an address nor a literal.
  [[nodiscard]] bool has_domain() const;

 private:
  std::string mailbox_;
  size_t at_ = 0;
  bool helo_ = false;
};

}  // namespace policyd
