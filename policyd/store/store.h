// What policyd remembers, in the verbs of its domain: charge, greylist, blocks, locks, account settings, usage, claims,
// reports, the journal, nodes.
//
// Two kinds exist: embedded (memory.*, durable with a file) and Redis (redis.*), which keeps answering while Redis is
// away (local_share.*). One contract suite (tests/contract) runs on all of them. Reads that a decision needs (blocks,
// locks, settings) are not here: each store keeps the Mirror it was given up to date, so that looking one up costs no
// round trip.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "policyd/async/task.h"
#include "policyd/journal/rows.h"
#include "policyd/locks/lock_rules.h"
#include "policyd/report/figures.h"
#include "shared/block.h"
#include "shared/limits.h"
#include "shared/lock.h"
#include "shared/result.h"

namespace policyd {

// One question of the engine: may this account do this, and if so count it.
//
// All limits are checked, then all counters changed, atomically; what does not pass changes nothing. Within one message
// (`account` and `instance`) the message counts once, and each recipient once, however often and on however many nodes
// it is asked.
//
// Signs are counted with the same charge where there are limits of them. Different elements (recipients, client
// networks) count from the last time each was seen, exactly; a new one beyond the limit is refused, one that is known
// in the window passes. Recipients that Postfix did not accept are counted and refuse nothing. What is given back
// leaves the different recipients counted: others of the account's messages may have gone to them meanwhile.
struct Charge {
  enum class Kind : uint8_t {
    recipient,  // RCPT: the message (if new), this recipient (if new), and the declared size
    settle,     // DATA, END-OF-MESSAGE: bring the message's charge to what Postfix accepted. More than was charged is
                // checked against the limits; if it does not pass, all of the message's charge is given back. Fewer
                // recipients than were charged are so many invalid ones.
    give_back,  // DATA, END-OF-MESSAGE of a message that is refused: its messages, recipients and bytes go back; always
                // passes, and is never a dry run
    sign,       // `amount` of the sign `meter`, for no message; always passes
  };
  Kind kind = Kind::recipient;
  std::string_view account;
  std::string_view instance;    // empty: cannot be recognised again, every charge is a message of its own
  std::string_view recipient;   // kind recipient
  int64_t recipients = 0;       // kind settle: recipients accepted
  int64_t bytes = 0;            // declared, or at END-OF-MESSAGE true; 0 = unknown, leaves what was charged
  const Limits* limits = nullptr;  // of messages, recipients and bytes; outlives the call
  const Limits* signs = nullptr;   // of signs, the same; null: none
  std::string_view network;        // kind recipient: the client's /24 or /64; empty: unknown
  Meter meter = Meter::spam;       // kind sign
  int64_t amount = 0;              // kind sign
  bool ended = false;           // END-OF-MESSAGE: the message need not be remembered for long
  bool dry_run = false;         // says what would happen, changes nothing
};

// What the window of a limit holds.
struct LimitUse {
  Limit limit;
  int64_t used = 0;
  bool operator==(const LimitUse&) const = default;
};

struct ChargeResult {
  bool passed = true;
  bool local = false;                      // decided on this node alone, because the shared store is away
  std::optional<Limit> limit;              // not passed: the limit that takes longest to allow it (as configured)
  std::optional<Milliseconds> retry_after;  // not passed: when it will pass if nothing else is sent; none: never (it is
                                            // larger than the limit itself)
  std::optional<Limit> sign;  // a limit of a sign that is gone over: by this charge, or before it
  int64_t sign_used = 0;      // what its window holds, what was refused for it included
  std::vector<LimitUse> uses;  // not passed: all limits of the charge, those of signs behind the others, and what was
                               // counted for each without what is refused here
};

// Another question of the engine: has this client tried to send from this sender to this recipient before?
//
// The first attempt starts a timer. One that comes before `block` is over is early, and does not move the timer; the
// first one after that, but no later than `pass` after the first attempt, passes, and from then on mail of the three
// goes through at once, until `record` has gone by without any. Whoever comes back later than `pass` begins anew. The
// durations are those of now: a shorter one holds for what was remembered before, too.
struct GreylistAttempt {
  std::string_view client, sender, recipient;  // the three, as policyd/greylist/keys.h makes them
  std::string_view instance;                   // of the message; empty: unknown
  Milliseconds block{}, pass{}, record{};      // block < pass
  int64_t auto_allow = 0;  // so many messages of the client that passed within `record` of each other, and it is let
                           // through; 0: never
  bool dry_run = false;    // says what would happen, changes nothing
};

struct GreylistResult {
  enum class Outcome : uint8_t {
    first,    // waits: the timer has been started
    early,    // waits: before `block` was over
    passed,   // the attempt that was waited for
    known,    // passed before
    allowed,  // the client has passed often enough
    unknown,  // the shared store is away: it passes
  };
  static constexpr size_t kOutcomes = 6;
  Outcome outcome = Outcome::unknown;
  Milliseconds wait{};    // first, early: when it will pass; more than 0
  bool repeated = false;  // early: the same message asked last, for another restriction list: not an attempt of its own
  WallTime begun{};       // first, early, passed: when the first attempt was made, by the store's clock
  [[nodiscard]] bool waits() const { return outcome == Outcome::first || outcome == Outcome::early; }
};

// Usage of one limit now.
struct Usage {
  Meter meter;
  Milliseconds window;
  int64_t used = 0;
};
struct AccountUsage {
  std::string account;
  std::vector<Usage> usage;  // every window with something in it
};

struct LockOutcome {
  Lock lock;         // the one that is in force now
  bool made = true;  // false: it was there before, and stays as it is
};

struct NodeInfo {
  std::string id;             // "mx1:4711"
  std::string name;           // "mx1"
  std::string version;
  WallTime seen{};
  int64_t uptime_seconds = 0;
  int64_t requests = 0;
};

struct StoreStatus {
  std::string url;            // password masked
  bool available = true;
  std::string detail;         // one line: "embedded, state in /var/lib/...", "no answer within 100ms since ..."
  int64_t pending_merge = 0;  // charges counted locally that are still to be merged
  int64_t uncounted = 0;      // charges that the shared store could not count: decided on this node alone, never merged
};

class Store {
 public:
  virtual ~Store() = default;

  // Opens files, connects, fills the mirror. An Error is one that waiting does not heal (a file without rights, a URL
  // that cannot be served); a Redis that is away at start is not one.
  virtual Result<void> start() = 0;
  // Writes what is still to be written and closes; the store is not used afterwards.
  virtual Task<void> stop() = 0;

  // Never fails and never takes longer than the store's time-out.
  virtual Task<ChargeResult> charge(const Charge& charge) = 0;

  // The same of greylisting: one round trip, atomic over all nodes.
  virtual Task<GreylistResult> greylist(const GreylistAttempt& attempt) = 0;

  // Durable when they return without an Error (memory without a file: until the process ends). The mirror shows the
  // change at once.
  virtual Task<Result<void>> put_block(Block block) = 0;
  virtual Task<Result<bool>> remove_block(BlockTarget target) = 0;  // false: there was none

  // Locks, by the rules of policyd/locks/lock_rules.h, atomic over all nodes and durable as blocks are; the mirror
  // shows the change at once. A lock that is asked for `at_all_costs` is in force on this node whatever becomes of the
  // store; an Error then says that it is not even that.
  virtual Task<Result<LockOutcome>> lock(LockRequest request) = 0;
  virtual Task<Result<std::optional<Lock>>> unlock(std::string account, std::string by) = 0;  // none: it was not locked
  // Ends the locks whose time is over. Those that came to their end are told to one node only, and once.
  virtual Task<Result<std::vector<Lock>>> end_locks() = 0;
  // Newest first; the last kLockEvents of kLocksRemembered.
  virtual Task<Result<std::vector<LockEvent>>> lock_history(std::string account) = 0;

  // Overrides of the settings of an account, a domain or "default". `value` has been checked by AccountSettings::set.
  virtual Task<Result<void>> put_setting(std::string account, std::string key, std::string value) = 0;
  virtual Task<Result<bool>> remove_setting(std::string account, std::string key) = 0;

  // Up to `limit` accounts with counters, in no order; `more` tells that there are others.
  struct AccountPage {
    std::vector<AccountUsage> accounts;
    bool more = false;
  };
  virtual Task<Result<AccountPage>> list_usage(size_t limit) = 0;
  virtual Task<Result<AccountUsage>> usage(std::string account) = 0;
  virtual Task<Result<bool>> reset_usage(std::string account) = 0;  // false: nothing was counted

  // True for one node only, until `duration` has gone by: for what is to be done once by all of them. While the shared
  // store is away every node decides for itself. Never fails and never takes longer than the store's time-out; does not
  // outlive the process where the store is embedded.
  virtual Task<bool> claim(std::string what, Milliseconds duration) = 0;

  // Adds figures to those of all nodes, each row as a whole; a batch of the same id as the last one that was taken of
  // this node is not taken again. An Error: it may have been taken or not, and is to be handed over again, unchanged.
  virtual Task<Result<void>> add_report(ReportBatch batch) = 0;
  // The figures of all nodes, from the hour that `since` lies in; the last kReportKept are kept
  // (shared/report_period.h).
  virtual Task<Result<ReportHours>> report(ReportKind kind, WallTime since) = 0;

  // Adds rows to the journal of all nodes, and drops what is too old or too much. An Error: they may have been taken or
  // not, and are to be handed over again, unchanged.
  virtual Task<Result<void>> add_journal(JournalBatch batch) = 0;
  // Rows of it, in the order of their places; rows that are too old may still be there.
  virtual Task<Result<JournalPage>> journal(JournalRange range) = 0;

  // Nodes last seen, this one included.
  virtual Task<Result<std::vector<NodeInfo>>> nodes() = 0;
  [[nodiscard]] virtual StoreStatus status() const = 0;
};

}  // namespace policyd
