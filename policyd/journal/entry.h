// An entry of the journal: all that led to a refusal, as one line of JSON.
//
//   {"id": "7K2M-9QXW-1T5P", "time": "2026-11-21T10:00:00.123Z", "node": "mx1", "action": "REJECT", ...,
//    "request": {"client_address": "192.0.2.7", ...}}
//
// What lies between is verdict_json.h's; the request has the names of Postfix's attributes. Of a message that was held
// before it had a queue id, a second line tells it later:
//
//   {"id": ..., "time": ..., "node": ..., "queued": {"instance": "1f.2a.0", "queue_id": "4XyZ"}}
//
// A record is what is copied of request and verdict while they are there: making the text costs ten times as much, and
// is left to a thread that nobody waits for. Octets that are no UTF-8 are replaced (U+FFFD). Pure.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "policyd/journal/id.h"
#include "policyd/journal/redact.h"
#include "policyd/verdict.h"
#include "shared/request.h"

namespace policyd {

inline constexpr std::array kJournaled = {
    Attribute::protocol_state,      Attribute::protocol_name,       Attribute::client_address,
    Attribute::client_name,         Attribute::reverse_client_name, Attribute::helo_name,
    Attribute::sender,              Attribute::recipient,           Attribute::recipient_count,
    Attribute::queue_id,            Attribute::instance,            Attribute::size,
    Attribute::sasl_method,         Attribute::sasl_username,       Attribute::sasl_sender,
    Attribute::ccert_subject,       Attribute::ccert_fingerprint,   Attribute::encryption_protocol,
    Attribute::encryption_cipher,   Attribute::encryption_keysize,  Attribute::policy_context,
};

// What the journal keeps of a request, each attribute cut to kLongest octets.
class RecordedRequest {
 public:
  static constexpr size_t kLongest = 512;

  RecordedRequest() = default;
  explicit RecordedRequest(const Request& request);
  // {"client_address": "192.0.2.7", ...}, without those that are empty; an empty sender, the null sender, is there.
  [[nodiscard]] Json to_json() const;
  [[nodiscard]] size_t size() const { return octets_.size(); }

 private:
  std::string octets_;  // one after the other
  std::array<uint16_t, kJournaled.size()> lengths_{};
};

// What a record holds of a verdict: without header fields for the message, and of a block or lock, whoever made it,
// each text cut to kLongestNote octets.
Verdict journaled(const Verdict& verdict);

struct JournalRecord {
  enum class Kind : uint8_t { decision, queued };
  JournalId id;
  Kind kind = Kind::decision;
  RecordedRequest request;
  Verdict verdict;  // of a decision
  [[nodiscard]] size_t memory() const;  // octets, roughly
};

// `redactor` null: as it is. The texts of a block or lock are cut to RecordedRequest::kLongest octets, in which nobody
// is named any more.
std::string journal_text(const JournalRecord& record, std::string_view node, const Redactor* redactor);

}  // namespace policyd
