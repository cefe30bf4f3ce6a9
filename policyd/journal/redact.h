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

#include "policyd/admin/json.h"
#include "policyd/dns/siphash.h"
#include "policyd/journal/free_text.h"
#include "shared/address.h"

namespace policyd {

class Redactor {
 public:
  explicit Redactor(std::string_view key);

  // An address, a login, an account: with its domain, where it has one. Empty stays empty.
  [[nodiscard]] std::string name(std::string_view text) const;
  // A client's address or network, in any form.
  [[nodiscard]] std::string client(std::string_view address) const;
  // A whole entry of the journal (entry.h): whom it names, each in a field of its own, and in its free text (what
  // clients are told, details, people's descriptions and reasons) these, their local parts, all other addresses, and
  // in people's words all addresses of clients. A name of one or two octets stays in free text.
  void redact(Json& entry) const;

 private:
  [[nodiscard]] std::string name_or_client(std::string_view text) const;
  [[nodiscard]] std::string hash(std::string_view text) const;
  [[nodiscard]] std::string host(const std::string& text, const std::optional<IpAddress>& address) const;
  // These hide, and add to what is looked for in free text.
  void hide_request(Json& request, const std::optional<IpAddress>& address, NamesInText& names) const;
  void hide_account(Json& in, NamesInText& names) const;
  void hide_target(Json& block, const std::optional<IpAddress>& address, NamesInText& names) const;
  void look_for_client(const IpAddress& address, NamesInText& names) const;
  void look_for_name(std::string_view text, NamesInText& names) const;
  void redact_texts(Json& entry, NamesInText& names) const;

  SipKey key_;
};

}  // namespace policyd
