// An SMTP reply as an operator writes it: "550 5.7.1 Mail refused by local policy".
//
// Pure. The code is 4xx or 5xx; the enhanced status code (RFC 3463) is optional and its class has to match; the text
// is printable ASCII and never empty (Postfix would send stale text of an earlier reply).
#pragma once

#include <string>
#include <string_view>

#include "shared/result.h"

namespace policyd {

struct SmtpReply {
  int code = 550;
  std::string enhanced;  // "5.7.1"
  std::string text;

  // An Error names what is wrong. Without an enhanced code X.7.1 is used.
  static Result<SmtpReply> parse(std::string_view text);
  // For a custom reply that may be a text alone: parse(), or `base` with another text.
  static Result<SmtpReply> parse(std::string_view text, const SmtpReply& base);
  [[nodiscard]] std::string to_string() const { return std::to_string(code) + " " + enhanced + " " + text; }
  [[nodiscard]] bool temporary() const { return code < 500; }
  bool operator==(const SmtpReply&) const = default;
};

}  // namespace policyd
