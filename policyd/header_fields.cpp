#include "policyd/header_fields.h"

#include <algorithm>
#include <utility>

#include "policyd/verdict.h"
#include "shared/log_line.h"

namespace policyd {

namespace {

std::string_view name_of(std::string_view field) { return field.substr(0, field.find(':')); }

}  // namespace

std::string HeaderFields::next(Key key, const std::vector<std::string>& fields) {
  Message* message = messages_.find(key);
  if (!message) {
    if (fields.empty()) return {};
    message = &messages_.insert(key);
  }
  for (const std::string& field : fields) {
    const std::string_view name = name_of(field);
    if (std::find(message->names.begin(), message->names.end(), name) != message->names.end()) continue;
    message->names.emplace_back(name);
    message->waiting.push_back(field);
  }
  if (message->waiting.empty()) return {};
  std::string field = std::move(message->waiting.front());
  message->waiting.erase(message->waiting.begin());
  return field;
}

void HeaderFields::end(Key key) {
  Message* const message = messages_.find(key);
  if (!message || message->waiting.empty()) return;
  if (!std::exchange(told_, true)) {
    log_warning("a message went without its header field {}: Postfix takes one field in a reply and asked too few "
                "questions; have it ask in smtpd_data_restrictions too (policyd.toml(5)); this is said once",
                name_of(message->waiting.front()));
  }
  message->waiting.clear();
}

std::string score_field(std::string_view name, const Verdict& verdict) {
  std::string field = std::string(name) + ": " + std::to_string(verdict.score);
  std::string_view separator = " (";
  for (const Finding& finding : verdict.findings) {
    if (!finding.counted) continue;
    field.append(std::exchange(separator, ", ")).append(finding.check->name).append(".").append(finding.outcome->name);
    field.append("=").append(std::to_string(finding.weight));
  }
  return separator == ", " ? field + ")" : field;
}

}  // namespace policyd
