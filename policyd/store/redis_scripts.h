// The Lua scripts that run inside Redis: what belongs to one decision is one round trip, and atomic.
//
// The charge script and the heartbeat are loaded when a connection is made (SCRIPT LOAD). NOSCRIPT, after a restart or
// failover of Redis, is answered for charges by sending the source, by the heartbeat by loading both and beating again.
// A block is rarely put: its script is always sent as source (EVAL).
#pragma once

#include <string_view>

#include "shared/clock.h"

namespace policyd {

// Tests and counts charges (store.h); the same rules as ledger.cpp and sliding_window.cpp, held to them by the
// contract suite. Numbers are little-endian doubles of 8 octets (packed_numbers.h).
//   KEYS  the rate key of each charge, then of each whose message can be recognised its message key
//   ARGV  1 a record of 18 octets of each charge:
//           1 octet    what is charged and how (ChargeRecord)
//           1 octet    its list of limits, from 1
//           a number   bytes; of a sign: how many
//           8 octets   a hash of the recipient, by append_element where there are limits of different recipients; where
//                      it settles: a number, the recipients accepted; of a sign: a number, its meter
//         2 a number of each charge: when it was counted elsewhere, ms; "" where none of them merges
//         3 8 octets of each charge with limits of elements: a hash of the client's network (append_element), 0 where
//         there is none; KEYS ends with a key of each of these, of the elements seen
//         4 and on: the lists of limits (append_limits)
//   reply {a text with one letter of each charge, then what these letters need}:
//         + passed
//         - refused: the index of the limit (from 0; those of signs come after the others), ms until it will pass or
//           -1, and what the window of each limit holds, in this order, as numbers
//         S passed, s refused, and a sign is gone over: what + or - needs, then the index of its limit, counted the
//           same way, and what its window holds
//         ! could not be counted: the error
extern const std::string_view kChargeScript;
// The parts of it that stand at its beginning.
extern const std::string_view kCounterScript, kElementScript;

// The first octet of a record: a sum of these.
struct ChargeRecord {
  enum : unsigned {
    settles = 1,          // else a recipient is charged
    test_only = 2,        // says what would happen
    merges = 4,           // counted without a test, at the time given
    gives_back = 6,       // all that the message was charged
    has_message = 8,      // there is a message key
    ended = 16,           // the message is remembered for kEndedRemembered, not for kRemembered
    if_known = 32,        // with merges: only where the message is remembered
    elements = 64,        // there is a key of elements seen, and a network
    sign = 128,           // a sign alone
  };
};

// How long Redis remembers what a message has been charged, after its last charge; and after its end, when only an
// answer that was lost makes anybody ask again.
inline constexpr Milliseconds kRemembered{3'600'000};
inline constexpr Milliseconds kEndedRemembered{900'000};

// One attempt of greylisting (store.h); the same rules as greylist_table.cpp, held to them by the contract suite. What
// is stored is text (policyd-redis(7)); what somebody else wrote there is taken for nothing.
//   KEYS  1 the client's, 2 the one of client, sender and recipient
//   ARGV  1 block, 2 pass, 3 record: ms; 4 auto_allow; 5 a hash of the message in hex, or ""; 6 "1": dry run
//   reply {outcome, ms to wait where it has to, 1 where the same message asked last, when the first attempt was, in ms}
extern const std::string_view kGreylistScript;

// Adds rows of figures (report/figures.h) to those that are there, each batch once. What somebody else wrote there is
// taken for nothing.
//   KEYS  1 the batch key of this node; 2 and on: a hash for each kind and hour of the rows
//   ARGV  1 the batch's id, 2 ms that it is remembered, 3 most names of a hash, 4 the name of what comes after them;
//         5 and on: of each hash when it expires, ms since 1970; then of each row: the place of its hash in KEYS, its
//         name, its figures
//   reply 1; 0: the batch was the last one that this node added
extern const std::string_view kAddReportScript;

// Adds rows to the journal (journal/rows.h) and bounds it. What is there and is no stream, or is
// further in the future than rows are kept, is replaced.
//   KEYS  journal key
//   ARGV  1 most rows, 2 ms that they are kept; 3 and on, of each row: its id, its node, its text
//   reply 1
extern const std::string_view kAddJournalScript;

// Tells that this node lives, and who else does. A key of another type is replaced.
//   KEYS  1 nodes key, 2 the key of what elements are hashed with
//   ARGV  1 node id, 2 what to say of it (JSON), 3 ms after which a node that is silent is forgotten, as is one that
//         was seen that long in the future: Redis' clock was set back
//         4 16 octets that elements are to be hashed with, unless a node has said so before
//   reply {Redis' time in ms, id, "ms|JSON", id, "ms|JSON", ..., what elements are hashed with}
extern const std::string_view kHeartbeatScript;

// Replaces a block as a whole.
//   KEYS  block key    ARGV  1 ms until it runs out, 0 = never; then field, value, field, value ...
extern const std::string_view kPutBlockScript;

// What happens to locks, each one run of a script; the same rules as policyd/locks/lock_rules.cpp, held to them by the
// contract suite. The fields are those of Lock::fields(). A lock is over once its field `until` is not after now; other
// ends are those of the key itself.
//   KEYS  1 lock  2 unlocks: how many have ended by themselves, while none is there  3 history: a stream
//         4 rate  5 seen: the account's signs are counted anew once a lock has ended or was lifted
//   ARGV  1 ms that ends and history are remembered, 2 most events of a history, 3 now, as in "2026-11-21T10:00:00Z"
//
// Makes a lock.
//   ARGV  4 its end, in that form, or "", 5 when its key shall expire then, ms since 1970, 6 after how many ends it has
//         none, or "", 7 "1": in place of one that is in force; then field, value ...
//   reply {1 made, 0 it was there, the lock's fields, its PTTL, the fields of one that was over}
extern const std::string_view kLockScript;
// Lifts one, and begins to count anew.
//   ARGV  4 by whom
//   reply {its fields, the fields of one that was over}
extern const std::string_view kUnlockScript;
// Somebody else took one away (DEL, or an expiry of its own): lifts it as well, unless that has been done.
//   ARGV  4 by whom
//   reply 1: it was lifted
extern const std::string_view kLockGoneScript;
// Ends one that is over.
//   reply its fields, or nothing
extern const std::string_view kEndLockScript;

}  // namespace policyd
