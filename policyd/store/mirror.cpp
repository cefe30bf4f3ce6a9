// The blocks, locks and account settings of the store, mirrored in memory: see mirror.h.
//
// A look-up asks one hash table for each name that could be blocked, as views into the request;
// types of which no block exists cost a comparison. Names are walked label by label
// ("a.example.com", "example.com", "com"). Client networks are also indexed by prefix length: one
// question for each length in use, whatever the number of networks.
#include "policyd/store/mirror.h"

#include <algorithm>

#include "shared/rewritten_address.h"

namespace policyd {
namespace {

// No target is longer (BlockTarget::make). A name of 64 KiB of dots has to be walked from here on
// only.
constexpr size_t kLongestTarget = 320;
constexpr std::string_view kUnknown =
    "unknown";  // what Postfix calls a client without a confirmed name

std::string_view without_trailing_dots(std::string_view name) {
  while (name.ends_with('.')) name.remove_suffix(1);
  return name;
}

// The name without its first label; empty when it was the last.
std::string_view parent(std::string_view name) {
  const size_t dot = name.find('.');
  return dot == std::string_view::npos ? std::string_view{} : name.substr(dot + 1);
}

// The name without the first labels that make it longer than any target.
std::string_view shortened(std::string_view name) {
  return name.size() <= kLongestTarget ? name
                                       : parent(name.substr(name.size() - kLongestTarget - 1));
}

bool is_literal(std::string_view name) {
  return name.starts_with('[');
}

BlockDirection as_block_direction(Direction direction) {
  return direction == Direction::incoming ? BlockDirection::in : BlockDirection::out;
}

}  // namespace

bool Mirror::in_force(const Block& block) const {
  return !block.expires || *block.expires > clock_.wall();
}

bool Mirror::covers(const Block& block, Direction direction) const {
  const bool applies =
      block.direction == BlockDirection::both || block.direction == as_block_direction(direction);
  return applies && in_force(block);
}

const Block* Mirror::lookup(BlockType type, std::string_view target, Direction direction) const {
  const Blocks& blocks = of(type);
  if (blocks.empty() || target.empty() || target.size() > kLongestTarget) return nullptr;
  const auto found = blocks.find(target);
  return found != blocks.end() && covers(found->second, direction) ? &found->second : nullptr;
}

// A block of the name, or of what it lies below.
const Block* Mirror::lookup_name(BlockType type, std::string_view name, Direction direction) const {
  if (of(type).empty()) return nullptr;
  name = without_trailing_dots(name);
  if (is_literal(name)) {
    const auto literal = canonical_literal(name);
    return literal ? lookup(type, *literal, direction) : nullptr;
  }
  for (name = shortened(name); !name.empty(); name = parent(name)) {
    if (const Block* block = lookup(type, name, direction)) return block;
  }
  return nullptr;
}

// A block of this one address, as it is or without its BATV tag.
const Block* Mirror::lookup_email(BlockType type, std::string_view email,
                                  Direction direction) const {
  if (of(type).empty()) return nullptr;
  email = without_trailing_dots(email);
  if (const Block* block = lookup_address(type, email, direction)) return block;
  const std::string_view untagged = without_batv_tag(email);
  return untagged.size() < email.size() ? lookup_address(type, untagged, direction) : nullptr;
}

// What has no domain has none.
const Block* Mirror::lookup_address(BlockType type, std::string_view email, Direction direction) const {
  const std::string_view domain = domain_of(email);
  if (domain.empty()) return nullptr;
  if (!is_literal(domain)) return lookup(type, email, direction);
  const auto literal = canonical_literal(domain);
  if (!literal) return nullptr;
  const std::string_view local_and_at = email.substr(0, email.size() - domain.size());
  return lookup(type, std::string(local_and_at) + *literal, direction);
}

const Block* Mirror::lookup_client(const IpAddress& client, Direction direction) const {
  for (const auto& [length, hosts] : networks_) {
    const auto [v6, prefix] = length;
    if (v6 != client.v6) continue;
    const auto found = hosts.find(client.masked(prefix));
    if (found != hosts.end() && covers(*found->second, direction)) return found->second;
  }
  return nullptr;
}

const Block* Mirror::find(const BlockSubject& subject) const {
  using enum BlockType;
  const Direction direction = subject.direction;
  for (const std::string_view address : {subject.sender, subject.login}) {
    if (const Block* block = lookup_email(email, address, direction)) return block;
  }
  for (const std::string_view address : {subject.sender, subject.login}) {
    if (const Block* block = lookup_name(domain, domain_of(address), direction)) return block;
  }
  if (const Block* block = lookup_name(ehlo, subject.ehlo, direction)) return block;
  if (subject.client) {
    if (const Block* block = lookup_client(*subject.client, direction)) return block;
  }
  if (subject.client_name != kUnknown) {
    if (const Block* block = lookup_name(client, subject.client_name, direction)) return block;
  }
  for (const std::string_view name : {subject.account, subject.login}) {
    if (const Block* block = lookup(account, name, direction)) return block;
  }
  if (const Block* block = lookup_email(recipient, subject.recipient, direction)) return block;
  return lookup_name(recipient, domain_of(subject.recipient), direction);
}

const Block* Mirror::find(const BlockTarget& target) const {
  const Blocks& blocks = of(target.type);
  const auto found = blocks.find(target.target);
  return found != blocks.end() && in_force(found->second) ? &found->second : nullptr;
}

std::vector<Block> Mirror::blocks() const {
  std::vector<Block> result;
  for (const Blocks& blocks : blocks_) {
    for (const auto& [target, block] : blocks) {
      if (in_force(block)) result.push_back(block);
    }
  }
  std::sort(result.begin(), result.end(),
            [](const Block& left, const Block& right) { return left.target < right.target; });
  return result;
}

size_t Mirror::block_count() const {
  size_t count = 0;
  for (const Blocks& blocks : blocks_) {
    for (const auto& [target, block] : blocks) count += in_force(block) ? 1 : 0;
  }
  return count;
}

void Mirror::put_block(Block block) {
  Blocks& blocks = blocks_[static_cast<size_t>(block.target.type)];
  std::string key = block.target.target;
  const auto put = blocks.insert_or_assign(std::move(key), std::move(block)).first;
  index(put->second);
}

void Mirror::remove_block(const BlockTarget& target) {
  Blocks& blocks = blocks_[static_cast<size_t>(target.type)];
  const auto found = blocks.find(target.target);
  if (found == blocks.end()) return;
  unindex(found->second.target);
  blocks.erase(found);
}

// Clients that are networks are found by their addresses; the table of blocks does not move what it
// holds.
void Mirror::index(const Block& block) {
  if (block.target.type != BlockType::client) return;
  const auto network = Network::parse(block.target.target);
  if (!network) return;  // a client name
  networks_[{network->address.v6, network->prefix}][network->address] = &block;
}

void Mirror::unindex(const BlockTarget& target) {
  if (target.type != BlockType::client) return;
  const auto network = Network::parse(target.target);
  if (!network) return;
  const auto hosts = networks_.find({network->address.v6, network->prefix});
  if (hosts == networks_.end()) return;
  hosts->second.erase(network->address);
  if (hosts->second.empty()) networks_.erase(hosts);
}

const AccountSettings* Mirror::settings(std::string_view account) const {
  const auto found = settings_.find(account);
  return found != settings_.end() ? &found->second : nullptr;
}

void Mirror::put_settings(const std::string& account, AccountSettings settings) {
  settings_.insert_or_assign(account, std::move(settings));
  ++settings_version_;
}

void Mirror::remove_settings(std::string_view account) {
  const auto found = settings_.find(account);
  if (found == settings_.end()) return;
  settings_.erase(found);
  ++settings_version_;
}

const Lock* Mirror::lock_of(const Locks& locks, std::string_view account) const {
  if (locks.empty()) return nullptr;
  const auto found = locks.find(account);
  return found != locks.end() && found->second.in_force(clock_.wall() - kUntilEnded) ? &found->second : nullptr;
}

const Lock* Mirror::lock(std::string_view account) const {
  const Lock* known = lock_of(locks_, account);
  return known ? known : lock_of(held_locks_, account);
}

std::vector<Lock> Mirror::locks() const {
  std::vector<Lock> all;
  for (const Locks* locks : {&locks_, &held_locks_}) {
    for (const auto& [account, lock] : *locks) {
      if (this->lock(account) == &lock) all.push_back(lock);
    }
  }
  std::sort(all.begin(), all.end(),
            [](const Lock& left, const Lock& right) { return left.account < right.account; });
  return all;
}

size_t Mirror::lock_count() const { return locks().size(); }

std::vector<Lock> Mirror::over_locks() const {
  std::vector<Lock> over;
  const WallTime now = clock_.wall();
  for (const auto& [account, lock] : locks_) {
    if (!lock.in_force(now)) over.push_back(lock);
  }
  return over;
}

void Mirror::put_lock(Lock lock) {
  std::string account = lock.account;
  locks_.insert_or_assign(std::move(account), std::move(lock));
}

void Mirror::remove_lock(std::string_view account) {
  if (const auto found = locks_.find(account); found != locks_.end()) locks_.erase(found);
}

void Mirror::hold_lock(Lock lock) {
  std::string account = lock.account;
  held_locks_.insert_or_assign(std::move(account), std::move(lock));
}

void Mirror::release_lock(std::string_view account) {
  if (const auto found = held_locks_.find(account); found != held_locks_.end()) held_locks_.erase(found);
}

void Mirror::replace_all(Mirror&& fresh) {
  blocks_ = std::exchange(fresh.blocks_, {});
  networks_ = std::exchange(fresh.networks_, {});
  settings_ = std::exchange(fresh.settings_, {});
  locks_ = std::exchange(fresh.locks_, {});
  ++settings_version_;
}

void Mirror::sweep() {
  for (Blocks& blocks : blocks_) {
    for (auto entry = blocks.begin(); entry != blocks.end();) {
      if (in_force(entry->second)) {
        ++entry;
        continue;
      }
      unindex(entry->second.target);
      entry = blocks.erase(entry);
    }
  }
}

}  // namespace policyd
