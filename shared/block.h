// A block: an entry made by a person; whom it covers may not send (receive) until it is lifted or runs out.
//
// Pure values, shared by the stores, the engine, the admin API and policyctl. How a block is stored in Redis:
// policyd-redis(7).
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "shared/clock.h"
#include "shared/result.h"

namespace policyd {

enum class BlockType : uint8_t { email, domain, ehlo, client, account, recipient };
inline constexpr size_t kBlockTypes = 6;
std::string_view block_type_name(BlockType type);
std::optional<BlockType> parse_block_type(std::string_view name);

enum class BlockDirection : uint8_t { both, in, out };
std::string_view block_direction_name(BlockDirection direction);
std::optional<BlockDirection> parse_block_direction(std::string_view name);

// What a block is known by.
struct BlockTarget {
  BlockType type = BlockType::email;
  std::string target;  // canonical: lower case, addresses and networks in RFC 5952 form, no trailing dot

  // Brings `target` into canonical form; an Error where it cannot be one of `type`.
  //   email      joe@example.com
  //   domain     example.com (covers what lies below)
  //   ehlo       host.example.com (covers what lies below), or an address literal [192.0.2.1]
  //   client     an address, a network 192.0.2.0/24, or a confirmed client name (covers what lies below)
  //   account    a login, or a client address where clients without a login are accounts
  //   recipient  bob@example.com, or a domain (covers what lies below)
  static Result<BlockTarget> make(BlockType type, std::string_view target);
  // The type inferred: with '@' email; an address or network client; a name with a dot domain. Else an Error that asks
  // for --type.
  static Result<BlockTarget> infer(std::string_view target);
  auto operator<=>(const BlockTarget&) const = default;
};

// An address literal in the form that targets have: "[192.0.2.1]", "[ipv6:2001:db8::1]"; the tag may be missing and its
// case is free. Nothing for what is none. For EHLO names and domains of requests, which may write the same address
// otherwise.
std::optional<std::string> canonical_literal(std::string_view text);

struct Block {
  BlockTarget target;
  BlockDirection direction = BlockDirection::both;
  std::string description;
  std::string reply;                  // custom SMTP reply or text; empty: [blocks] reply
  std::string by;                     // who made it
  std::string created;                // RFC 3339, UTC
  std::optional<WallTime> expires;    // none: until removed

  // The fields of the Redis hash and of the JSON form, without target and expiry; empty ones left out.
  [[nodiscard]] std::map<std::string, std::string> fields() const;
  // The opposite; an unknown direction or a reply that cannot be used is told in `warning` and the default taken
  // (both directions; the configured reply): a slip of the pen must not lift a block.
  static Block from_fields(BlockTarget target, const std::map<std::string, std::string>& fields, std::string* warning);
};

// "2026-11-21T10:00:00Z"
std::string format_time(WallTime time);
std::optional<WallTime> parse_time(std::string_view text);

}  // namespace policyd
