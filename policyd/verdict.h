// What the engine decided about one request, and everything that led to it.
//
// The reply, the log line and `policyctl check` are all made from this.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "policyd/store/store.h"
#include "shared/check_spec.h"
#include "shared/config.h"

namespace policyd {

enum class Action : uint8_t { dunno, prepend, defer, hold, reject };
inline constexpr size_t kActions = 5;
std::string_view action_name(Action action);  // "DUNNO"

// A check's outcome, weighed. `counted` is false for a dry run: shown, never acted on.
struct Finding {
  const CheckSpec* check = nullptr;
  const OutcomeSpec* outcome = nullptr;  // null: the check could not be done, `detail` says why
  int weight = 0;
  bool counted = true;
  std::string detail;  // may hold request text: escape before use
};

// What decided.
enum class Cause : uint8_t { none, not_asked, block, check, score, limit, earlier };
inline constexpr size_t kCauses = 7;
std::string_view cause_name(Cause cause);

struct Verdict {
  Action action = Action::dunno;
  std::string text;            // what follows the action word in the reply; not empty but for DUNNO
  int smtp_code = 0;           // with an own SMTP code (blocks) the reply is "CODE text" in place of the action word
  Direction direction = Direction::incoming;
  Cause cause = Cause::none;
  std::string account;         // outgoing only
  int score = 0;
  std::vector<Finding> findings;
  std::shared_ptr<const Block> block;  // cause block
  ChargeResult charge;         // outgoing: what the limits said
};

}  // namespace policyd
