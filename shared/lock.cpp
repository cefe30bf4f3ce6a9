// Locks: their fields in the store; see lock.h.
#include "shared/lock.h"

#include <array>
#include <utility>

#include "shared/block.h"
#include "shared/text.h"

namespace policyd {
namespace {

// The fields that are taken as they are.
struct TextField {
  std::string_view name;
  std::string Lock::*member;
};
constexpr std::array<TextField, 4> kTextFields{{
    {"reason", &Lock::reason},
    {"evidence", &Lock::evidence},
    {"by", &Lock::by},
    {"node", &Lock::node},
}};

struct TimeField {
  std::string_view name;
  std::optional<WallTime> Lock::*member;
  std::string_view otherwise;  // what holds where it cannot be read
};
constexpr std::array<TimeField, 2> kTimeFields{{
    {"since", &Lock::since, "left out"},
    {"until", &Lock::until, "it locks until it is lifted"},
}};

constexpr std::array<std::pair<std::string_view, LockEvent::Kind>, 3> kEvents{{
    {"locked", LockEvent::Kind::locked},
    {"ended", LockEvent::Kind::ended},
    {"lifted", LockEvent::Kind::lifted},
}};

// Only the form that format_time() writes: the scripts in Redis compare these texts.
std::optional<WallTime> parse_exact(const std::string& text) {
  const auto time = parse_time(text);
  return time && format_time(*time) == text ? time : std::nullopt;
}

}  // namespace

std::map<std::string, std::string> Lock::fields() const {
  std::map<std::string, std::string> fields;
  for (const TextField& field : kTextFields) {
    if (const std::string& text = this->*field.member; !text.empty()) fields.emplace(field.name, text);
  }
  if (since) fields.emplace("since", format_time(*since));
  if (until) fields.emplace("until", format_time(std::chrono::ceil<std::chrono::seconds>(*until)));
  if (unlocks > 0) fields.emplace("unlocks", std::to_string(unlocks));
  return fields;
}

Lock Lock::from_fields(std::string account, const std::map<std::string, std::string>& fields, std::string* warning) {
  Lock lock;
  lock.account = std::move(account);
  const auto get = [&](std::string_view name) {
    const auto found = fields.find(std::string(name));
    return found == fields.end() ? std::string() : found->second;
  };
  const auto warn = [&](std::string_view name, const std::string& value, const std::string& what) {
    if (warning == nullptr) return;
    if (!warning->empty()) *warning += "; ";
    *warning += std::string(name) + " " + quoted(value) + " " + what;
  };
  for (const TextField& field : kTextFields) {
    std::string& text = lock.*field.member = get(field.name);
    if (text.size() <= kLongestNote) continue;
    warn(field.name, text, "is longer than " + std::to_string(kLongestNote) + " octets and was cut");
    text.resize(kLongestNote);
  }
  for (const TimeField& field : kTimeFields) {
    const std::string text = get(field.name);
    if (text.empty()) continue;
    lock.*field.member = parse_exact(text);
    if (!(lock.*field.member)) {
      warn(field.name, text, "is not a time such as 2026-11-21T10:00:00Z; " + std::string(field.otherwise));
    }
  }
  if (const std::string text = get("unlocks"); !text.empty()) {
    const auto count = parse_whole_number(text);
    if (!count) warn("unlocks", text, "is not a whole number; taken for 0");
    lock.unlocks = count.value_or(0);
  }
  return lock;
}

std::string_view lock_event_name(LockEvent::Kind kind) {
  for (const auto& [name, known] : kEvents) {
    if (known == kind) return name;
  }
  std::abort();  // a kind without a row
}

std::optional<LockEvent::Kind> parse_lock_event(std::string_view name) {
  for (const auto& [known, kind] : kEvents) {
    if (known == name) return kind;
  }
  return std::nullopt;
}

}  // namespace policyd
