// Hashes of Redis as they are read: fields, deadlines, and the lock that stands in one.
#pragma once

#include <map>
#include <optional>
#include <string>

#include "policyd/store/redis_reply.h"
#include "shared/clock.h"
#include "shared/lock.h"

namespace policyd {

// Of HGETALL; what is no hash has none.
std::map<std::string, std::string> fields_in(const RedisReply& reply);

// What PTTL says, as a time; none: the key has no expiry, or is not there.
std::optional<WallTime> deadline_of(int64_t pttl, WallTime now);

// A lock as it holds on this node, whose clock need not be Redis'. policyd lets the key of a lock that has an end
// expire kLocksRemembered after that; by any other TTL the lock ends with its key.
Lock lock_in_redis(const std::string& account, const RedisReply& fields, int64_t pttl, WallTime now,
                   std::string* warning);

}  // namespace policyd
