// Addresses, logins and client addresses as hashes: what they were cannot be told from the journal, but that two are
// the same can, on every node with the same key.
//
// "joe@example.com" becomes "h:3f9a5c01d27be684@example.com": the domain stays. Whatever has no domain, or is a
// client's address, becomes a hash alone. Letters' case makes no difference. 64 bits of SipHash with a secret key: who
// does not know it cannot find an address by trying all there are. Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "policyd/admin/json.h"
#include "policyd/dns/siphash.h"
#include "shared/address.h"

namespace policyd {

class Redactor {
 public:
  explicit Redactor(std::string_view key);

  // An address, a login, an account: with its domain, where it has one. Empty stays empty.
  [[nodiscard]] std::string name(std::string_view text) const;
  // A client's address or network, in any form.
  [[nodiscard]] std::string client(std::string_view address) const;
  // A whole entry of the journal (entry.h), its texts included: the names of the request are replaced wherever they
  // stand.
  void redact(Json& entry) const;

 private:
  using Replacements = std::vector<std::pair<std::string, std::string>>;  // lower case, and what takes its place
  [[nodiscard]] std::string hash(std::string_view text) const;
  [[nodiscard]] std::string host(const std::string& text, const std::optional<IpAddress>& address) const;
  Replacements hide_names(Json& entry) const;

  SipKey key_;
};

}  // namespace policyd
