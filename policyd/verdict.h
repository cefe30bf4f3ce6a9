// What the engine decided about one request, and everything that led to it.
//
// The reply, the log line and `policyctl check` are all made from this.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "policyd/store/store.h"
#include "shared/check_spec.h"
#include "shared/config.h"

namespace policyd {

enum class Action : uint8_t { dunno, prepend, defer, hold, reject };
inline constexpr size_t kActions = 5;
Action action_of(OnLimit on_limit);
std::string_view action_name(Action action);  // "DUNNO"
// The text of an action with the enhanced status code that fits, except for HOLD, which only shows in the log.
std::string with_code(Action action, std::string_view text);

// A check's outcome, weighed. `counted` is false for a dry run: shown, never acted on.
struct Finding {
  const CheckSpec* check = nullptr;
  const OutcomeSpec* outcome = nullptr;  // null: the check could not be done, `detail` says why
  int weight = 0;
  bool counted = true;
  std::string detail;  // may hold request text: escape before use
  std::string reason{};  // for clients, in place of the outcome's; empty: the outcome's
  std::optional<uint32_t> zone{};  // of DNS lists: the number of the one that says it
};

// What decided.
enum class Cause : uint8_t { none, not_asked, block, check, score, limit, earlier, greylist, rule, lock };
inline constexpr size_t kCauses = 10;
std::string_view cause_name(Cause cause);

std::string_view greylist_outcome_name(GreylistResult::Outcome outcome);  // "first"

// What greylisting said of an attempt.
struct Greylisting {
  GreylistResult result;
  std::string client;   // what the client is recognised by: "example.com", "192.0.2.0/24"
  bool counted = true;  // false: a dry run, shown and remembered, never acted on
};

struct Verdict {
  Action action = Action::dunno;
  std::string text;            // what follows the action word in the reply; not empty but for DUNNO
  bool if_permit = false;      // action defer: a later restriction of Postfix can still reject for good
  int smtp_code = 0;           // with an own SMTP code (blocks) the reply is "CODE text" in place of the action word
  Direction direction = Direction::incoming;
  Cause cause = Cause::none;
  std::string account;         // outgoing only
  int score = 0;
  CheckSet checked;                    // those that were applied, also where they could not be done
  std::vector<Finding> findings;
  std::vector<std::string> headers;  // header fields that checks have written for the message: "Received-SPF: ..."
  std::string identity;        // a domain that the client was shown to send for, by a check; may be empty
  std::shared_ptr<const Block> block;  // cause block
  std::shared_ptr<const Lock> lock;    // cause lock
  std::optional<Greylisting> greylisting;  // incoming: where it was looked at
  ChargeResult charge;         // outgoing: what the limits said
  std::string_view rule{};     // cause rule: the account's setting, "max_size"
  std::string id;              // of its entry in the journal, which stands in the text too; empty: it has none
};

}  // namespace policyd
