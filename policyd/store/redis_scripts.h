// The Lua scripts that run inside Redis: what belongs to one decision is one round trip, and atomic.
//
// Each is loaded when a connection is made (SCRIPT LOAD); NOSCRIPT, after a restart or failover of Redis, is answered by sending the source.
#pragma once

#include <string_view>

namespace policyd {

// Tests and counts a Charge (store.h); the same rules as ledger.cpp and sliding_window.cpp, held to them by the contract suite.
//   KEYS  rate key, and where the message can be recognised its message key
//   ARGV  1 kind: "recipient" or "settle"
//         2 limits: packed numbers, meter, maximum, window in ms of each
//         3 recipient: 8 octets of hash (kind recipient)
//         4 recipients accepted (kind settle), 5 bytes
//         6 mode: "" tests and counts; "dry" only tests; "merge" counts without a test, at the time ARGV[7] (ms);
//           "cancel" gives back all that the message was charged
//         8 how long to remember the message, ms
//   reply 1: passed. {index of the limit (from 0), ms until it will pass or -1}: refused.
extern const std::string_view kChargeScript;

// Tells that this node lives, and who else does.
//   KEYS  nodes key
//   ARGV  1 node id, 2 what to say of it (JSON), 3 ms after which a node that is silent is forgotten
//   reply {Redis' time in ms, id, "ms|JSON", id, "ms|JSON", ...}
extern const std::string_view kHeartbeatScript;

// Replaces a block as a whole.
//   KEYS  block key    ARGV  1 ms until it runs out, 0 = never; then field, value, field, value ...
extern const std::string_view kPutBlockScript;

}  // namespace policyd
