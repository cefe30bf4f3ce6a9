// Blocks as JSON: {"type", "target", "direction", "description", "reply", "by", "created",
// "expires"}.
//
// What is empty is left out; times are RFC 3339, UTC. In requests "for": "2d" may stand in place of
// "expires", and "expires": null is a block without an end. Unlike a hash in Redis, which is taken
// as it comes, everything that cannot be used is an Error that names the key. Pure: the time is
// given.
#pragma once

#include "policyd/admin/json.h"
#include "shared/block.h"
#include "shared/clock.h"
#include "shared/result.h"
#include "shared/smtp_reply.h"

namespace policyd {

Json block_to_json(const Block& block);

// "email:joe@example.com"
std::string block_name(const BlockTarget& target);

struct BlockRules {
  WallTime now;
  const SmtpReply& reply;  // what a custom text is completed with
};

// Changes what `json`, an object, names. "type" and "target" are not touched, but have to be those
// of the block where they are given.
Result<void> change_block(Block& block, const Json& json, const BlockRules& rules);

// From "target" and, where that does not tell it, "type".
Result<BlockTarget> target_from_json(const Json& json);

}  // namespace policyd
