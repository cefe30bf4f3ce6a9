// What a check is: it looks at one aspect of a request and yields the outcomes it found.
//
// A check is one file with one coroutine, and one row in table.cpp; it is given what it may see in CheckContext and
// nothing else. It does not know its weights: the engine turns outcomes into findings. What it could not
// do (DNS away, an attribute missing) it says as an error: neutral for the mail, and counted.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "policyd/async/task.h"
#include "shared/check_spec.h"
#include "shared/config.h"
#include "shared/request.h"

namespace policyd {

struct CheckContext {
  const Request& request;
  const Config& config;
  Direction direction;
};

// One thing found: the outcome's index in CheckSpec::outcomes and what a person should see beside it.
struct Outcome {
  size_t index = 0;
  std::string detail;  // may hold request text, escape before use
};

struct Observation {
  std::vector<Outcome> outcomes;
  std::string error;  // not empty: the check could not be done, and why
};

// One outcome found: why, and the text of the request it was found in (its beginning, where it is overlong).
Observation found(size_t index, std::string_view why, std::string_view text);
// The check could not be done.
Observation not_done(std::string why);

struct CheckRow {
  CheckSpec spec;
  Task<Observation> (*run)(const CheckContext& context);
};

// THE list of checks, in the order of evaluation and of every listing.
const std::vector<CheckRow>& check_table();
// The specs alone, for the configuration.
std::vector<CheckSpec> check_specs();

}  // namespace policyd
