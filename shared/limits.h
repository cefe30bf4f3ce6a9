// Send rate limits: "60/1m" messages, "1000/1h" recipients, "2GB/1d" octets; signs of a hijacked account, "500/1d"
// distinct recipients; and an account's settings.
//
// Pure values, shared by the configuration, the stores and policyctl.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "shared/clock.h"
#include "shared/result.h"
#include "shared/sender_list.h"

namespace policyd {

// What a limit counts. The numbers stand in stored counters: never change one.
//
// The first three count mail that passes. The others are signs: more than N in the window is the sign of a hijacked
// account. distinct_recipients and client_networks count different elements, and what is new beyond N is refused as
// over any limit; the rest count what has happened already, and refuse nothing.
enum class Meter : uint8_t {
  messages = 1,
  recipients = 2,
  bytes = 3,
  distinct_recipients = 4,  // different addresses
  client_networks = 5,      // different /24 or /64 that the account sends from
  invalid_recipients = 6,   // refused by Postfix, or reported
  spam = 7,                 // messages whose score reached a threshold, or reported
  limit_hits = 8,           // messages that a limit refused
};
inline constexpr size_t kMeters = 8;
constexpr bool is_sign(Meter meter) { return meter >= Meter::distinct_recipients; }
constexpr bool counts_elements(Meter meter) {
  return meter == Meter::distinct_recipients || meter == Meter::client_networks;
}
std::string_view meter_name(Meter meter);     // "messages"
std::string_view meter_example(Meter meter);  // "60/1m"
bool is_meter_name(std::string_view text);

// At most `maximum` of `meter` in any interval of `window`.
struct Limit {
  Meter meter = Meter::messages;
  int64_t maximum = 0;
  Milliseconds window{0};

  // "N/WINDOW", e.g. "60/1m"; for bytes N takes a unit. N from 0 to 2^53-1, WINDOW from 1s to 366d.
  static Result<Limit> parse(Meter meter, std::string_view text);
  [[nodiscard]] std::string to_string() const;  // "60/1m", "2GB/1d"
  bool operator==(const Limit&) const = default;
};
using Limits = std::vector<Limit>;

// What happens to mail over a limit.
enum class OnLimit : uint8_t { defer, reject, hold };
std::string_view on_limit_name(OnLimit action);
std::optional<OnLimit> parse_on_limit(std::string_view text);

// An account's (or domain's, or the default) settings: what is not set is taken from the next one out:
// account, then domain, then default; in each the store's override goes before the file.
struct AccountSettings {
  std::optional<Limits> messages;
  std::optional<Limits> recipients;
  std::optional<Limits> bytes;
  std::optional<OnLimit> on_limit;
  std::optional<Limits> distinct_recipients, client_networks, invalid_recipients, spam, limit_hits;
  std::optional<int64_t> max_size;                    // octets of a message; 0: no bound
  std::optional<int64_t> max_recipients_per_message;  // 0: no bound
  std::optional<SenderList> senders;                  // empty: any
  std::optional<bool> sender_must_exist;              // its domain takes mail
  std::optional<bool> block_outgoing_spam;            // false: mail passes whatever its score
  std::optional<bool> auto_lock;          // a sign of a hijack locks the account
  std::optional<Milliseconds> lock_time;  // how long it is locked then
  std::optional<int64_t> max_unlocks;     // how often a lock ends by itself; the next one has no end

  // Sets one key from the text an operator writes (in a Redis hash, with `policyctl account set`): several limits
  // are separated by commas or spaces ("60/1m, 500/1h"); "none" or "" is no limit. An unknown key or a bad
  // value is an Error that names the key and what it takes.
  Result<void> set(std::string_view key, std::string_view value);
  // key -> text, for those that are set; set() reads it back.
  [[nodiscard]] std::map<std::string, std::string> to_map() const;
  // Fills what is not set here from `outer`.
  void inherit(const AccountSettings& outer);
  bool operator==(const AccountSettings&) const = default;
};

// How a setting's value stands in the configuration file: limits and lists as arrays of texts.
enum class SettingForm : uint8_t { limits, list, text, number, flag };

// One row per settings key: validation, help and listings come from here.
struct SettingRow {
  std::string_view key;
  std::string_view takes;    // "60/1m, 500/1h"
  std::string_view summary;  // one line
  SettingForm form;
};
const std::vector<SettingRow>& setting_rows();

}  // namespace policyd
