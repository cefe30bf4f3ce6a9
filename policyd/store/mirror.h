// The blocks, locks and account settings of the store, mirrored in memory for look-ups without a round
// trip.
//
// The store that owns the data writes here (put, remove, replace_all); the engine and the admin API
// read. An entry keeps its own deadline: an expired one is not found, even if nobody has told of
// its removal (Redis tells late, see policyd-redis(7)). Targets are canonical (BlockTarget::make);
// what is not canonical is kept, but covers nobody. Nothing here fails.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "shared/address.h"
#include "shared/block.h"
#include "shared/clock.h"
#include "shared/config.h"
#include "shared/limits.h"
#include "shared/lock.h"
#include "shared/text.h"

namespace policyd {

// Whom a request may be blocked for; views into what outlives the look-up.
struct BlockSubject {
  Direction direction = Direction::incoming;
  std::string_view sender{};       // lower case; empty: the null sender
  std::string_view login{};        // lower case; empty: none
  std::string_view account{};      // empty for incoming mail
  std::string_view ehlo{};         // lower case
  std::string_view client_name{};  // lower case, confirmed; empty or "unknown": none
  std::optional<IpAddress> client{};
  std::string_view recipient{};  // lower case
};

class Mirror {
 public:
  explicit Mirror(const Clock& clock) : clock_(clock) {}
  Mirror(Mirror&&) = default;
  Mirror(const Mirror&) = delete;  // networks_ points into blocks_

  // The first block that covers `subject`, or none; by type in the order of BlockType, the nearest
  // of names and networks first. Called for every request: it allocates nothing, but for a name
  // that is an address literal. The pointer is good until the next change.
  [[nodiscard]] const Block* find(const BlockSubject& subject) const;
  // The block of that very name, whatever its direction.
  [[nodiscard]] const Block* find(const BlockTarget& target) const;
  [[nodiscard]] std::vector<Block> blocks() const;  // those in force, sorted by type and target
  [[nodiscard]] size_t block_count() const;

  void put_block(Block block);
  void remove_block(const BlockTarget& target);

  // The lock of an account, if one is in force. Called for every request of outgoing mail: it allocates nothing. The
  // pointer is good until the next change.
  [[nodiscard]] const Lock* lock(std::string_view account) const;
  [[nodiscard]] std::vector<Lock> locks() const;  // those in force, sorted by account
  [[nodiscard]] size_t lock_count() const;
  // Those whose time is over and that are still here: the store has not ended them yet. Until it has, and with that
  // begun to count the account's signs anew, they are in force; but for no longer than kUntilEnded.
  static constexpr Milliseconds kUntilEnded{10'000};
  [[nodiscard]] std::vector<Lock> over_locks() const;

  void put_lock(Lock lock);
  void remove_lock(std::string_view account);
  // A lock that the store does not know of yet: in force beside those that it does, also after a full load.
  void hold_lock(Lock lock);
  void release_lock(std::string_view account);

  // Settings of an account, a domain or "default", as overridden in the store.
  [[nodiscard]] const AccountSettings* settings(std::string_view account) const;
  [[nodiscard]] const std::unordered_map<std::string, AccountSettings, StringHash, std::equal_to<>>&
  all_settings() const {
    return settings_;
  }
  void put_settings(const std::string& account, AccountSettings settings);
  void remove_settings(std::string_view account);

  // Counts every change of the settings, so that what was derived from them can be thrown away.
  [[nodiscard]] uint64_t settings_version() const { return settings_version_; }

  // Takes the other's entries in place of its own, all but locks that are held: the end of a full load.
  void replace_all(Mirror&& fresh);
  // Drops blocks that have run out. Look-ups do not need it; memory does.
  void sweep();

 private:
  using Blocks = std::unordered_map<std::string, Block, StringHash, std::equal_to<>>;
  using Locks = std::unordered_map<std::string, Lock, StringHash, std::equal_to<>>;
  using Hosts = std::unordered_map<IpAddress, const Block*, IpAddressHash>;
  using Length = std::pair<bool, int>;  // IPv6, prefix length

  [[nodiscard]] const Blocks& of(BlockType type) const {
    return blocks_[static_cast<size_t>(type)];
  }
  [[nodiscard]] bool in_force(const Block& block) const;
  [[nodiscard]] bool covers(const Block& block, Direction direction) const;
  [[nodiscard]] const Block* lookup(BlockType type, std::string_view target,
                                    Direction direction) const;
  [[nodiscard]] const Block* lookup_name(BlockType type, std::string_view name,
                                         Direction direction) const;
  [[nodiscard]] const Block* lookup_email(BlockType type, std::string_view email,
                                          Direction direction) const;
  [[nodiscard]] const Block* lookup_address(BlockType type, std::string_view email, Direction direction) const;
  [[nodiscard]] const Block* lookup_client(const IpAddress& client, Direction direction) const;
  [[nodiscard]] const Lock* lock_of(const Locks& locks, std::string_view account) const;
  void index(const Block& block);
  void unindex(const BlockTarget& target);

  const Clock& clock_;
  std::array<Blocks, kBlockTypes> blocks_;  // by type; the key is the canonical target
  std::map<Length, Hosts, std::greater<>>
      networks_;  // client networks: the longest prefixes first, no empty ones
  std::unordered_map<std::string, AccountSettings, StringHash, std::equal_to<>> settings_;
  uint64_t settings_version_ = 0;
  Locks locks_;
  Locks held_locks_;
};

}  // namespace policyd
