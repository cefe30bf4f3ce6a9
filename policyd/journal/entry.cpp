#include "policyd/journal/entry.h"

#include <fmt/format.h>

#include "policyd/verdict_json.h"
#include "shared/block.h"

namespace policyd {

namespace {

std::string format_milliseconds(WallTime time) {
  std::string text = format_time(time);
  text.pop_back();
  return fmt::format("{}.{:03}Z", text, time.time_since_epoch().count() % 1000);
}

}  // namespace

RecordedRequest::RecordedRequest(const Request& request) {
  size_t size = 0;
  for (size_t i = 0; i < kJournaled.size(); ++i) {
    lengths_[i] = static_cast<uint16_t>(std::min(request.get(kJournaled[i]).size(), kLongest));
    size += lengths_[i];
  }
  octets_.reserve(size);
  for (size_t i = 0; i < kJournaled.size(); ++i) octets_.append(request.get(kJournaled[i]).substr(0, lengths_[i]));
}

Json RecordedRequest::to_json() const {
  Json json = Json::object();
  size_t at = 0;
  for (size_t i = 0; i < kJournaled.size(); ++i) {
    std::string value = octets_.substr(at, lengths_[i]);
    at += lengths_[i];
    if (value.empty() && kJournaled[i] != Attribute::sender) continue;
    json[std::string(attribute_name(kJournaled[i]))] = std::move(value);
  }
  return json;
}

size_t JournalRecord::memory() const {
  size_t octets = sizeof *this + request.size() + verdict.text.size() + verdict.findings.size() * sizeof(Finding);
  for (const Finding& finding : verdict.findings) octets += finding.detail.size() + finding.reason.size();
  return octets;
}

std::string journal_text(const JournalRecord& record, std::string_view node, const Redactor* redactor) {
  Json entry = {{"id", record.id.to_string()}, {"time", format_milliseconds(record.id.time())}, {"node", node}};
  Json request = record.request.to_json();
  if (record.kind == JournalRecord::Kind::queued) {
    entry["queued"] = {{"instance", std::move(request["instance"])}, {"queue_id", std::move(request["queue_id"])}};
  } else {
    entry.update(verdict_json(record.verdict));
    entry["store_away"] = record.verdict.charge.local;
    entry["request"] = std::move(request);
    if (redactor) redactor->redact(entry);
  }
  return entry.dump(-1, ' ', false, Json::error_handler_t::replace);
}

}  // namespace policyd
