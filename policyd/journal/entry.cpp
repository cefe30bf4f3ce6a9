#include "policyd/journal/entry.h"

#include <fmt/format.h>

#include <memory>
#include <utility>

#include "policyd/verdict_json.h"
#include "shared/block.h"
#include "shared/text.h"

namespace policyd {

namespace {

std::string format_milliseconds(WallTime time) {
  std::string text = format_time(time);
  text.pop_back();
  return fmt::format("{}.{:03}Z", text, time.time_since_epoch().count() % 1000);
}

template <class... Texts>
bool is_longer(const Texts&... texts) {
  return (... || (texts.size() > kLongestNote));
}

template <class... Texts>
void cut(Texts&... texts) {
  (..., (texts.size() > kLongestNote ? texts.resize(kLongestNote) : void()));
}

// Of a block and a lock.
constexpr std::pair<const char*, const char*> kPeoplesWords[] = {
    {"block", "description"}, {"block", "reply"}, {"block", "by"}, {"lock", "reason"},
    {"lock", "evidence"},     {"lock", "by"},     {"lock", "node"}};

void cut_peoples_words(Json& entry) {
  for (const auto& [part, key] : kPeoplesWords) {
    const auto found = entry.find(part);
    if (found == entry.end() || !found->is_object() || !found->contains(key)) continue;
    auto& text = (*found)[key].get_ref<std::string&>();
    if (text.size() > RecordedRequest::kLongest) text.resize(RecordedRequest::kLongest);
  }
}

template <class... Texts>
size_t sizes(const Texts&... texts) {
  return (... + texts.size());
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

Verdict journaled(const Verdict& verdict) {
  Verdict kept = verdict;
  kept.headers.clear();
  if (verdict.block && is_longer(verdict.block->description, verdict.block->reply, verdict.block->by)) {
    auto block = std::make_shared<Block>(*verdict.block);
    cut(block->description, block->reply, block->by);
    kept.block = std::move(block);
  }
  if (verdict.lock && is_longer(verdict.lock->reason, verdict.lock->evidence, verdict.lock->by, verdict.lock->node)) {
    auto lock = std::make_shared<Lock>(*verdict.lock);
    cut(lock->reason, lock->evidence, lock->by, lock->node);
    kept.lock = std::move(lock);
  }
  return kept;
}

// A block or lock that others have too is counted all the same: it may be gone there before it is written here.
size_t JournalRecord::memory() const {
  size_t octets = sizeof *this + request.size() + verdict.findings.size() * sizeof(Finding) +
                  verdict.charge.uses.size() * sizeof(LimitUse) +
                  sizes(verdict.text, verdict.account, verdict.identity, verdict.id);
  for (const Finding& finding : verdict.findings) octets += sizes(finding.detail, finding.reason);
  for (const std::string& header : verdict.headers) octets += sizeof header + header.size();
  if (verdict.greylisting) octets += verdict.greylisting->client.size();
  if (const Block* const block = verdict.block.get()) {
    octets += sizeof *block + sizes(block->target.target, block->description, block->reply, block->by, block->created);
  }
  if (const Lock* const lock = verdict.lock.get()) {
    octets += sizeof *lock + sizes(lock->account, lock->reason, lock->evidence, lock->by, lock->node);
  }
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
    cut_peoples_words(entry);  // after it: the half of a name is not known to be one
  }
  return entry.dump(-1, ' ', false, Json::error_handler_t::replace);
}

}  // namespace policyd
