// What the block commands take: a target, and what a block can be said to be.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "policyd/ctl/arguments.h"
#include "policyd/ctl/client.h"
#include "shared/block.h"
#include "shared/result.h"

namespace policyd {

// TARGET and --type: whom a command is about.
struct TargetArgument {
  std::string text;
  std::string type;  // empty: inferred

  // Also takes the form in which blocks are named, "email:joe@example.com".
  [[nodiscard]] Result<BlockTarget> parse() const;
};
std::shared_ptr<TargetArgument> declare_target(Arguments& takes);

// The options of `block add` and `block edit`; what is not given is left out.
struct BlockOptions {
  std::optional<std::string> direction, duration, description, reply;
  bool forever = false;  // `block edit` only

  // The body of a request; an Error is a usage error.
  [[nodiscard]] Result<Json> to_json() const;
};
std::shared_ptr<BlockOptions> declare_block_options(Arguments& takes);

// "/v1/blocks/email/joe%40example.com"
std::string path_of(const BlockTarget& target);

// "alice via policyctl": who is at the keyboard, before sudo.
std::string operator_name();

}  // namespace policyd
