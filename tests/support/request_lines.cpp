#include "tests/support/request_lines.h"

namespace policyd::test {

std::string request_lines(const Attributes& changes) {
  Attributes all{{"request", "smtpd_access_policy"},
                 {"protocol_state", "RCPT"},
                 {"client_address", "192.0.2.1"},
                 {"client_name", "mail.stranger.example"},
                 {"reverse_client_name", "mail.stranger.example"},
                 {"helo_name", "mail.stranger.example"},
                 {"sender", "ann@stranger.example"},
                 {"recipient", "bob@example.com"},
                 {"instance", "1f.2a.0"}};
  for (const auto& [name, value] : changes) all[name] = value;
  std::string lines;
  for (const auto& [name, value] : all) lines.append(name).append("=").append(value).append("\n");
  return lines;
}

std::string outgoing_lines(Attributes changes) {
  changes.insert({"sasl_username", "joe@example.com"});
  changes.insert({"sender", "joe@example.com"});
  return request_lines(changes);
}

}  // namespace policyd::test
