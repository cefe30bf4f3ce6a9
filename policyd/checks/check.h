// What a check is: it looks at one aspect of a request and yields the outcomes it found.
//
// A check is one file with one coroutine, and one row in table.cpp; it is given what it may see in CheckContext and
// nothing else. It need not know its weights: the engine turns outcomes into findings. What it could not
// do (DNS away, an attribute missing) it says as an error: neutral for the mail, and counted. Look-ups are started
// before the first is waited for, so that a request takes as long as its longest chain.
#pragma once

#include <array>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "policyd/async/task.h"
#include "policyd/dns/resolver.h"
#include "shared/check_spec.h"
#include "shared/clock.h"
#include "shared/config.h"
#include "shared/request.h"

namespace policyd {

class Tally;
class Zones;

// All of it outlives the check's task.
struct CheckContext {
  const Request& request;
  const Config& config;
  const CheckSettings& settings;  // the check's own
  Direction direction;
  Resolver& resolver;
  Zones& zones;
  const Clock& clock;
  Tally* tally = nullptr;  // where zones are counted for reports; null: nowhere

  // Whether an outcome counts for anything: what does not need not be looked up.
  [[nodiscard]] bool weighs(size_t outcome) const {
    return settings.weights[static_cast<size_t>(direction)][outcome] != 0;
  }
  [[nodiscard]] bool writes_header() const { return settings.header && direction == Direction::incoming; }
};

// One thing found: the outcome's index in CheckSpec::outcomes and what a person should see beside it.
struct Outcome {
  size_t index = 0;
  std::string detail;  // may hold request text, escape before use
  // In place of those of the outcome, where they are given.
  std::optional<std::array<int, 2>> weights{};  // by Direction
  std::string reason{};                         // printable ASCII, for clients
  std::optional<uint32_t> zone{};               // of DNS lists: the number of the one that says it
};

struct Observation {
  std::vector<Outcome> outcomes;
  std::string error;  // not empty: the check, or a part of it, could not be done, and why
  // Not empty: a domain that the client was shown to send for (an SPF pass). Greylisting may know the client by it.
  std::string identity{};
  bool only_here = false;  // it looked at more than CheckRow::inputs: it is not to be used for other requests
  std::vector<uint32_t> zones{};  // the numbers of the DNS lists that were asked
  std::string header{};  // what the check's header field is to be, "Received-SPF: pass ..."; empty: there is none
};

// One outcome found: why, and the text of the request it was found in (its beginning, where it is overlong).
Observation found(size_t index, std::string_view why, std::string_view text);
// The check could not be done.
Observation not_done(std::string why);
// The same because of the DNS: what was asked for, and how that ended.
Observation not_done(const DnsAnswer& answer, std::string_view name);

// What of a request an observation can depend on.
enum class CheckInput : uint8_t {
  client_address,
  client_name,
  reverse_client_name,
  helo_name,
  server_address,
  sender_domain,     // of the envelope sender
  recipient_domain,  // of the envelope recipient
};
inline constexpr size_t kCheckInputs = 7;

struct CheckRow {
  CheckSpec spec;
  Task<Observation> (*run)(const CheckContext& context);
  // All of the request that the check looks at: what it found is used again for requests that agree in them
  // (recent_observations.h). Empty: it is cheaper to look afresh.
  std::vector<CheckInput> inputs{};
  // What it says in Observation::identity is proof of the sender's domain for [[allow]].
  bool proves_sender = false;
};

// THE list of checks, in the order of evaluation and of every listing.
const std::vector<CheckRow>& check_table();
// The specs alone, for the configuration.
std::vector<CheckSpec> check_specs();

}  // namespace policyd
