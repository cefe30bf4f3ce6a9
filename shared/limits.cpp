// Send rate limits and account settings: see limits.h.
//
// The settings are one table: what a key takes, how it is set, shown and inherited stands in its
// row, so that the configuration, policyctl and the overrides in the store cannot disagree.
#include "shared/limits.h"

#include <algorithm>

#include "shared/duration.h"
#include "shared/setting_values.h"
#include "shared/text.h"

namespace policyd {
namespace {

constexpr int64_t kMaximumCount = (1LL << 53) - 1;
constexpr Milliseconds kMinimumWindow = std::chrono::seconds(1);
constexpr Milliseconds kMaximumWindow = std::chrono::hours(366 * 24);
constexpr Milliseconds kShortestLock = std::chrono::seconds(1);
constexpr Milliseconds kLongestLock = std::chrono::hours(366 * 24);
constexpr int64_t kMostUnlocks = 1000;

struct MeterRow {
  Meter meter;
  std::string_view name;
  std::string_view example;
};
constexpr std::array<MeterRow, kMeters> kMeterRows{{
    {Meter::messages, "messages", "60/1m"},
    {Meter::recipients, "recipients", "1000/1h"},
    {Meter::bytes, "bytes", "2GB/1d"},
    {Meter::distinct_recipients, "distinct_recipients", "500/1d"},
    {Meter::client_networks, "client_networks", "5/1d"},
    {Meter::invalid_recipients, "invalid_recipients", "50/1d"},
    {Meter::spam, "spam", "10/1h"},
    {Meter::limit_hits, "limit_hits", "20/1h"},
}};

struct OnLimitRow {
  OnLimit action;
  std::string_view name;
};
constexpr std::array<OnLimitRow, 3> kOnLimits{{
    {OnLimit::defer, "defer"},
    {OnLimit::reject, "reject"},
    {OnLimit::hold, "hold"},
}};

const MeterRow& meter_row(Meter meter) {
  for (const MeterRow& row : kMeterRows) {
    if (row.meter == meter) return row;
  }
  std::abort();  // a Meter without a row
}

Result<int64_t> parse_count(std::string_view text) {
  if (const auto number = parse_whole_number(text, kMaximumCount)) return *number;
  return Error{quoted(text) + " is not a whole number from 0 to " + std::to_string(kMaximumCount)};
}

// What can be done with a key; `read` is empty where the key is not set.
struct SettingAccess {
  Result<void> (*write)(AccountSettings& settings, std::string_view value);
  std::optional<std::string> (*read)(const AccountSettings& settings);
  void (*inherit)(AccountSettings& settings, const AccountSettings& outer);
};

template <auto Member>
void inherit_member(AccountSettings& settings, const AccountSettings& outer) {
  if (!(settings.*Member)) settings.*Member = outer.*Member;
}

template <Meter M, std::optional<Limits> AccountSettings::*Member>
constexpr SettingAccess limits_access() {
  return {[](AccountSettings& settings, std::string_view value) -> Result<void> {
            Result<Limits> limits = parse_limits(M, value);
            if (!limits) return limits.error();
            settings.*Member = std::move(*limits);
            return {};
          },
          [](const AccountSettings& settings) -> std::optional<std::string> {
            if (!(settings.*Member)) return std::nullopt;
            return format_limits(*(settings.*Member));
          },
          inherit_member<Member>};
}

// A key whose text `parse` reads and `format` writes.
template <auto Member, auto parse, auto format>
constexpr SettingAccess text_access() {
  return {[](AccountSettings& settings, std::string_view value) -> Result<void> {
            auto parsed = parse(value);
            if (!parsed) return parsed.error();
            settings.*Member = *std::move(parsed);
            return {};
          },
          [](const AccountSettings& settings) -> std::optional<std::string> {
            if (!(settings.*Member)) return std::nullopt;
            return format(*(settings.*Member));
          },
          inherit_member<Member>};
}

template <std::optional<bool> AccountSettings::*Member>
constexpr SettingAccess flag_access() {
  return text_access<Member, parse_yes_or_no, format_yes_or_no>();
}

std::string format_senders(const SenderList& senders) { return senders.to_string(); }

Result<void> write_on_limit(AccountSettings& settings, std::string_view value) {
  const std::optional<OnLimit> action = parse_on_limit(to_lower(trim(value)));
  if (!action) return Error{quoted(value) + " is none of defer, reject, hold; expected e.g. defer"};
  settings.on_limit = action;
  return {};
}

std::optional<std::string> read_on_limit(const AccountSettings& settings) {
  if (!settings.on_limit) return std::nullopt;
  return std::string(on_limit_name(*settings.on_limit));
}

Result<Milliseconds> parse_lock_time(std::string_view text) {
  Result<Milliseconds> time = parse_duration(trim(text));
  if (time && (*time < kShortestLock || *time > kLongestLock)) {
    return Error{quoted(text) + " is out of range; from 1s to 366d"};
  }
  return time;
}

Result<int64_t> parse_unlocks(std::string_view text) {
  if (const auto number = parse_whole_number(trim(text), kMostUnlocks)) return *number;
  return Error{quoted(text) + " is not a whole number from 0 to " + std::to_string(kMostUnlocks)};
}

std::string format_unlocks(int64_t number) { return std::to_string(number); }

struct Setting {
  SettingRow row;
  SettingAccess access;
};

using Form = SettingForm;

// THE list of settings, in the order of every listing.
constexpr std::array<Setting, 17> kSettings{{
    {{"messages", "60/1m, 500/1h", "messages in any interval of the window's length", Form::limits},
     limits_access<Meter::messages, &AccountSettings::messages>()},
    {{"recipients", "1000/1h", "recipients in any interval of the window's length", Form::limits},
     limits_access<Meter::recipients, &AccountSettings::recipients>()},
    {{"bytes", "2GB/1d", "octets of mail in any interval of the window's length", Form::limits},
     limits_access<Meter::bytes, &AccountSettings::bytes>()},
    {{"on_limit", "defer, reject or hold", "what happens to mail over a limit", Form::text},
     {write_on_limit, read_on_limit, inherit_member<&AccountSettings::on_limit>}},
    {{"distinct_recipients", "500/1d", "different recipients in any interval of the window's length", Form::limits},
     limits_access<Meter::distinct_recipients, &AccountSettings::distinct_recipients>()},
    {{"client_networks", "5/1d", "different client networks (/24, /64) in any such interval", Form::limits},
     limits_access<Meter::client_networks, &AccountSettings::client_networks>()},
    {{"invalid_recipients", "50/1d", "recipients that Postfix refused, or that were reported", Form::limits},
     limits_access<Meter::invalid_recipients, &AccountSettings::invalid_recipients>()},
    {{"spam", "10/1h", "messages whose score reached a threshold, or that were reported", Form::limits},
     limits_access<Meter::spam, &AccountSettings::spam>()},
    {{"limit_hits", "20/1h", "messages that a limit refused", Form::limits},
     limits_access<Meter::limit_hits, &AccountSettings::limit_hits>()},
    {{"max_size", "25MB", "octets of a message at most", Form::text},
     text_access<&AccountSettings::max_size, parse_size_bound, format_size_bound>()},
    {{"max_recipients_per_message", "100", "recipients of a message at most", Form::number},
     text_access<&AccountSettings::max_recipients_per_message, parse_bound, format_bound>()},
    {{"senders", "own, example.com", "the envelope senders that may be used", Form::list},
     text_access<&AccountSettings::senders, &SenderList::parse, format_senders>()},
    {{"sender_must_exist", "true or false", "whether the sender's domain has to take mail", Form::flag},
     flag_access<&AccountSettings::sender_must_exist>()},
    {{"block_outgoing_spam", "true or false", "whether the score refuses mail", Form::flag},
     flag_access<&AccountSettings::block_outgoing_spam>()},
    {{"auto_lock", "true or false", "whether a sign of a hijack locks the account", Form::flag},
     flag_access<&AccountSettings::auto_lock>()},
    {{"lock_time", "1h", "how long a sign of a hijack locks the account", Form::text},
     text_access<&AccountSettings::lock_time, parse_lock_time, format_duration>()},
    {{"max_unlocks", "3", "how often such a lock ends by itself; the next one has no end", Form::number},
     text_access<&AccountSettings::max_unlocks, parse_unlocks, format_unlocks>()},
}};

std::string setting_keys() {
  std::string keys;
  for (const Setting& setting : kSettings)
    keys.append(keys.empty() ? "" : ", ").append(setting.row.key);
  return keys;
}

}  // namespace

std::string_view meter_name(Meter meter) {
  return meter_row(meter).name;
}

bool is_meter_name(std::string_view text) {
  return std::any_of(kMeterRows.begin(), kMeterRows.end(), [text](const MeterRow& row) { return row.name == text; });
}

std::string_view meter_example(Meter meter) {
  return meter_row(meter).example;
}

Result<Limit> Limit::parse(Meter meter, std::string_view text) {
  const size_t slash = text.find('/');
  if (slash == std::string_view::npos) return bad_limit(meter, text, "the window is missing");
  const std::string_view count = trim(text.substr(0, slash));
  const Result<int64_t> maximum = meter == Meter::bytes ? parse_size(count) : parse_count(count);
  if (!maximum) return bad_limit(meter, text, maximum.error().message);
  const Result<Milliseconds> window = parse_duration(trim(text.substr(slash + 1)));
  if (!window) return bad_limit(meter, text, window.error().message);
  if (*window < kMinimumWindow || *window > kMaximumWindow) {
    return bad_limit(meter, text, "the window is from 1s to 366d");
  }
  return Limit{meter, *maximum, *window};
}

std::string Limit::to_string() const {
  const std::string count = meter == Meter::bytes ? format_size(maximum) : std::to_string(maximum);
  return count + "/" + format_duration(window);
}

std::string_view on_limit_name(OnLimit action) {
  for (const OnLimitRow& row : kOnLimits) {
    if (row.action == action) return row.name;
  }
  std::abort();  // an OnLimit without a row
}

std::optional<OnLimit> parse_on_limit(std::string_view text) {
  for (const OnLimitRow& row : kOnLimits) {
    if (row.name == text) return row.action;
  }
  return std::nullopt;
}

Result<void> AccountSettings::set(std::string_view key, std::string_view value) {
  for (const Setting& setting : kSettings) {
    if (setting.row.key != key) continue;
    const Result<void> done = setting.access.write(*this, value);
    if (!done) return Error{std::string(key) + ": " + done.error().message};
    return {};
  }
  return Error{quoted(key) + " is not an account setting; expected one of " + setting_keys()};
}

std::map<std::string, std::string> AccountSettings::to_map() const {
  std::map<std::string, std::string> map;
  for (const Setting& setting : kSettings) {
    if (auto text = setting.access.read(*this)) map.emplace(setting.row.key, std::move(*text));
  }
  return map;
}

void AccountSettings::inherit(const AccountSettings& outer) {
  for (const Setting& setting : kSettings) setting.access.inherit(*this, outer);
}

const std::vector<SettingRow>& setting_rows() {
  static const std::vector<SettingRow> kRows = [] {
    std::vector<SettingRow> rows;
    for (const Setting& setting : kSettings) rows.push_back(setting.row);
    return rows;
  }();
  return kRows;
}

}  // namespace policyd
