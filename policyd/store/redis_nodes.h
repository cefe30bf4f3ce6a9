// The nodes that share a Redis, as its heartbeat tells them (redis_scripts.h).
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "policyd/dns/siphash.h"
#include "policyd/recent_table.h"
#include "policyd/store/redis_reply.h"
#include "policyd/store/store.h"
#include "shared/clock.h"

namespace policyd {

class RedisNodes {
 public:
  RedisNodes() = default;
  explicit RedisNodes(NodeInfo self) : nodes_{std::move(self)} {}

  // What a heartbeat says of its node.
  static std::string to_json(const NodeInfo& self);
  // The answer to a heartbeat, which came now. False where it does not even say a time; nodes that cannot be understood
  // are left out.
  bool note(const RedisReply& answer, const Clock& clock);

  // As last seen.
  [[nodiscard]] const std::vector<NodeInfo>& list() const { return nodes_; }
  // The most that were seen within the last minute: the share of a limit must not grow because they went away too.
  [[nodiscard]] size_t most() const { return most_; }
  // Redis' clock less ours.
  [[nodiscard]] Milliseconds redis_ahead() const { return redis_ahead_; }
  // What elements are hashed with on all nodes; a proposal of ours until an answer says so.
  [[nodiscard]] const SipKey& elements() const { return elements_; }
  [[nodiscard]] std::string elements_octets() const {
    return {reinterpret_cast<const char*>(&elements_), sizeof elements_};
  }

 private:
  std::vector<NodeInfo> nodes_;
  size_t most_ = 1;
  SteadyTime most_at_{};
  Milliseconds redis_ahead_{0};
  SipKey elements_{random_seed(), random_seed()};
};

}  // namespace policyd
