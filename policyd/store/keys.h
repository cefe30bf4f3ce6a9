// The names of policyd's keys in Redis, as policyd-redis(7) promises them. Pure.
//
// In a cluster, keys of one script must be in one slot: `{account}` is the hash tag. An account can hold braces
// itself; the tag then is what stands between the first { and the next }, which is the same for all keys of an
// account. Those of reports are in one slot, {report}.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "policyd/report/figures.h"
#include "shared/block.h"
#include "shared/clock.h"

namespace policyd {

class Keys {
 public:
  explicit Keys(std::string prefix) : prefix_(std::move(prefix)) {}

  [[nodiscard]] std::string block(const BlockTarget& target) const;    // policyd:block:email:joe@example.com
  [[nodiscard]] std::string account(std::string_view account) const;   // policyd:account:{joe@example.com}
  [[nodiscard]] std::string rate(std::string_view account) const;      // policyd:rate:{joe@example.com}
  [[nodiscard]] std::string lock(std::string_view account) const;      // policyd:lock:{joe@example.com}
  [[nodiscard]] std::string unlocks(std::string_view account) const;   // policyd:unlocks:{joe@example.com}
  [[nodiscard]] std::string history(std::string_view account) const;   // policyd:history:{joe@example.com}
  void append_rate(std::string& out, std::string_view account) const;
  // policyd:seen:{joe@example.com}, the different elements that it counts.
  void append_seen(std::string& out, std::string_view account) const { append_tagged(out, "seen:", account); }
  [[nodiscard]] std::string seen(std::string_view account) const { return tagged("seen:", account); }
  // policyd:elements, what the elements are hashed with on all nodes.
  [[nodiscard]] std::string elements() const { return prefix_ + "elements"; }
  // policyd:message:{joe@example.com}:2a7f.5f0c...
  void append_message(std::string& out, std::string_view account, std::string_view instance) const;
  // policyd:grey:{192.0.2.0/24}:ann@example.org>bob@example.com, and of the client itself policyd:grey:{192.0.2.0/24};
  // the three as policyd/greylist/keys.h makes them.
  [[nodiscard]] std::string grey(std::string_view client, std::string_view sender, std::string_view recipient) const;
  [[nodiscard]] std::string grey_client(std::string_view client) const { return tagged("grey:", client); }
  [[nodiscard]] std::string claim(std::string_view what) const { return prefix_ + "claim:" + std::string(what); }
  [[nodiscard]] std::string nodes() const { return prefix_ + "nodes"; }
  // policyd:{report}:clients:2026-11-21T10, the hour in UTC; and what a node added last,
  // policyd:{report}:batch:mx1:4711.
  [[nodiscard]] std::string report(ReportKind kind, WallTime hour) const;
  [[nodiscard]] std::string report_batch(std::string_view node) const;

  [[nodiscard]] std::string journal() const { return prefix_ + "journal"; }

  // Prefixes of what is mirrored, for CLIENT TRACKING.
  [[nodiscard]] std::string blocks() const { return prefix_ + "block:"; }
  [[nodiscard]] std::string accounts() const { return prefix_ + "account:"; }
  [[nodiscard]] std::string locks() const { return prefix_ + "lock:"; }
  // SCAN patterns: of blocks, accounts and locks together (no other key begins with one of these letters), and of
  // rates.
  [[nodiscard]] std::string mirrored_pattern() const { return escaped_prefix() + "[abl]*"; }
  [[nodiscard]] std::string rates_pattern() const { return escaped_prefix() + "rate:*"; }

  // The other way round. A block key that names no possible target is an Error, any other key is nothing.
  [[nodiscard]] std::optional<Result<BlockTarget>> parse_block(std::string_view key) const;
  [[nodiscard]] std::optional<std::string> parse_account(std::string_view key) const;
  [[nodiscard]] std::optional<std::string> parse_lock(std::string_view key) const;
  [[nodiscard]] std::optional<std::string> parse_rate(std::string_view key) const;

 private:
  void append_tagged(std::string& out, std::string_view kind, std::string_view account) const;
  [[nodiscard]] std::string tagged(std::string_view kind, std::string_view account) const;
  [[nodiscard]] std::optional<std::string> parse_tagged(std::string_view kind, std::string_view key) const;
  [[nodiscard]] std::string escaped_prefix() const;
  std::string prefix_;
};

}  // namespace policyd
