// One policy request: the attributes that Postfix sent, as views into the request's own copy of the octets.
//
// Attributes: https://www.postfix.org/SMTPD_POLICY_README.html, Postfix 2.1 to 3.12. A missing attribute is an
// empty view, just as Postfix sends what it does not know. A Request cannot be copied or moved: its views
// point into itself. It is filled by the protocol (shared/protocol.h) alone.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

namespace policyd {

// In the order in which Postfix sends them.
enum class Attribute : uint8_t {
  request, protocol_state, protocol_name, client_address, client_name, client_port, reverse_client_name,
  server_address, server_port, helo_name, sender, recipient, recipient_count, queue_id, instance, size,
  etrn_domain, stress, sasl_method, sasl_username, sasl_sender, ccert_subject, ccert_issuer,
  ccert_fingerprint, ccert_pubkey_fingerprint, encryption_protocol, encryption_cipher,
  encryption_keysize, policy_context, compatibility_level, mail_version, tls_sni,
  count_,
};
inline constexpr size_t kAttributes = static_cast<size_t>(Attribute::count_);

inline constexpr std::array<std::string_view, kAttributes> kAttributeNames = {
    "request", "protocol_state", "protocol_name", "client_address", "client_name", "client_port",
    "reverse_client_name", "server_address", "server_port", "helo_name", "sender", "recipient",
    "recipient_count", "queue_id", "instance", "size", "etrn_domain", "stress", "sasl_method",
    "sasl_username", "sasl_sender", "ccert_subject", "ccert_issuer", "ccert_fingerprint",
    "ccert_pubkey_fingerprint", "encryption_protocol", "encryption_cipher", "encryption_keysize",
    "policy_context", "compatibility_level", "mail_version", "tls_sni",
};
// "helo_name" for Attribute::helo_name.
constexpr std::string_view attribute_name(Attribute attribute) {
  return kAttributeNames[static_cast<size_t>(attribute)];
}

enum class ProtocolState : uint8_t { unknown, connect, ehlo, helo, mail, rcpt, data, end_of_message, vrfy, etrn };

class Request {
 public:
  Request() = default;
  Request(const Request&) = delete;
  Request& operator=(const Request&) = delete;

  [[nodiscard]] std::string_view get(Attribute attribute) const {
    return values_[static_cast<size_t>(attribute)];
  }
  [[nodiscard]] ProtocolState state() const { return state_; }
  [[nodiscard]] std::string_view sender() const { return get(Attribute::sender); }
  [[nodiscard]] std::string_view recipient() const { return get(Attribute::recipient); }
  [[nodiscard]] std::string_view helo_name() const { return get(Attribute::helo_name); }
  [[nodiscard]] std::string_view client_address() const { return get(Attribute::client_address); }
  [[nodiscard]] std::string_view sasl_username() const { return get(Attribute::sasl_username); }
  [[nodiscard]] std::string_view instance() const { return get(Attribute::instance); }
  // `size` and `recipient_count` as numbers; 0 where missing or not a number below 2^53.
  [[nodiscard]] int64_t size() const;
  [[nodiscard]] int64_t recipient_count() const;

  // Forgets everything and gives a large buffer back; for the time between two requests.
  void clear();

 private:
  friend class RequestReader;
  std::string octets_;
  std::array<std::string_view, kAttributes> values_{};
  ProtocolState state_ = ProtocolState::unknown;
};

}  // namespace policyd
