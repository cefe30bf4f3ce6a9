// A Request for tests, made from text as Postfix would send it, and what a check says about it.
#pragma once

#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>

#include "policyd/checks/check.h"
#include "shared/protocol.h"

namespace policyd {

// `attributes`: "name=value" lines; the last newline may be missing. Throws where they are no
// request.
inline std::unique_ptr<Request> make_request(std::string_view attributes) {
  std::string octets(attributes);
  if (!octets.ends_with('\n')) octets += '\n';
  octets += '\n';
  RequestReader reader;
  reader.feed(octets);
  auto request = std::make_unique<Request>();
  const auto step = reader.next(*request);
  if (!step) throw std::invalid_argument(step.error().message);
  return request;
}

// What the check `name` says, as "outcome (detail)", "error: WHY", or "" for nothing. For checks
// that do not wait.
inline std::string observe(std::string_view name, std::string_view attributes,
                           const Config& config = {}) {
  for (const CheckRow& row : check_table()) {
    if (row.spec.name != name) continue;
    const auto request = make_request(attributes);
    const CheckContext context{*request, config, Direction::incoming};
    const Task<Observation> task = row.run(context);
    task.start();
    if (!task.done()) throw std::logic_error("the check waits");
    const Observation observation = task.result();
    std::string said = observation.error.empty() ? "" : "error: " + observation.error;
    for (const Outcome& outcome : observation.outcomes) {
      said.append(row.spec.outcomes.at(outcome.index).name).append(" (" + outcome.detail + ")");
    }
    return said;
  }
  throw std::logic_error("no such check");
}

}  // namespace policyd
