// The blocks and account settings of the store, mirrored in memory for look-ups without a round trip.
//
// The store that owns the data writes here (put, remove, replace_all); the engine and the admin API read. An entry keeps its own
// deadline: an expired one is not found, even if nobody has told of its removal (Redis tells late, see policyd-redis(7)).
#pragma once

#include <array>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "shared/block.h"
#include "shared/clock.h"
#include "shared/config.h"
#include "shared/limits.h"
#include "shared/request.h"
#include "shared/text.h"

namespace policyd {

// Whom a request may be blocked for; views into what outlives the look-up.
struct BlockSubject {
  Direction direction = Direction::incoming;
  std::string_view sender;      // lower case; empty: the null sender
  std::string_view login;       // lower case; empty: none
  std::string_view account;     // empty for incoming mail
  std::string_view ehlo;        // lower case
  std::string_view client_name; // lower case, confirmed; empty or "unknown": none
  std::optional<IpAddress> client;
  std::string_view recipient;   // lower case
};

class Mirror {
 public:
  explicit Mirror(const Clock& clock) : clock_(clock) {}

  // The first block that covers `subject`, or none.
  [[nodiscard]] const Block* find(const BlockSubject& subject) const;
  [[nodiscard]] const Block* find(const BlockTarget& target) const;
  [[nodiscard]] std::vector<Block> blocks() const;  // those in force, sorted by type and target
  [[nodiscard]] size_t block_count() const;

  void put_block(Block block);
  void remove_block(const BlockTarget& target);

  // Settings of an account, a domain or "default", as overridden in the store.
  [[nodiscard]] const AccountSettings* settings(std::string_view account) const;
  [[nodiscard]] const std::unordered_map<std::string, AccountSettings, StringHash, std::equal_to<>>& all_settings() const { return settings_; }
  void put_settings(const std::string& account, AccountSettings settings);
  void remove_settings(std::string_view account);

  // Counts every change of the settings, so that what was derived from them can be thrown away.
  [[nodiscard]] uint64_t settings_version() const { return settings_version_; }

  // Takes the other's entries in place of its own: the end of a full load.
  void replace_all(Mirror&& fresh);
  // Drops blocks that have run out. Look-ups do not need it; memory does.
  void sweep();

 private:
  [[nodiscard]] const Block* lookup(BlockType type, std::string_view target, Direction direction) const;
  [[nodiscard]] const Block* lookup_name(BlockType type, std::string_view name, Direction direction) const;
  [[nodiscard]] const Block* lookup_client(const IpAddress& client, Direction direction) const;

  const Clock& clock_;
  using Blocks = std::unordered_map<std::string, Block, StringHash, std::equal_to<>>;
  std::array<Blocks, kBlockTypes> blocks_;       // by type; the key is the canonical target
  std::map<std::pair<bool, int>, size_t> networks_;  // how many client networks of (IPv6, prefix length) there are
  std::unordered_map<std::string, AccountSettings, StringHash, std::equal_to<>> settings_;
  uint64_t settings_version_ = 0;
};

}  // namespace policyd
