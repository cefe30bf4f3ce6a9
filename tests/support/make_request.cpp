#include "tests/support/make_request.h"

#include <stdexcept>

#include "shared/protocol.h"

namespace policyd {

std::unique_ptr<Request> make_request(std::string_view attributes) {
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

const CheckRow& check_named(std::string_view name) {
  for (const CheckRow& row : check_table()) {
    if (row.spec.name == name) return row;
  }
  throw std::logic_error("no such check");
}

CheckSettings settings_of(const CheckSpec& spec, const Config& config) {
  if (const auto found = config.checks.find(spec.name); found != config.checks.end()) return found->second;
  CheckSettings settings;
  for (const OutcomeSpec& outcome : spec.outcomes) {
    settings.weights[0].push_back(outcome.incoming);
    settings.weights[1].push_back(outcome.outgoing);
  }
  return settings;
}

std::string describe(const CheckSpec& spec, const Observation& observation) {
  std::string said;
  for (const Outcome& outcome : observation.outcomes) {
    if (!said.empty()) said += ", ";
    said.append(spec.outcomes.at(outcome.index).name).append(" (" + outcome.detail + ")");
  }
  if (!observation.error.empty()) said.append(said.empty() ? "" : ", ").append("error: " + observation.error);
  return said;
}

std::string observe(std::string_view name, std::string_view attributes, const Config& config,
                    test::FakeResolver& resolver, Zones& zones, const Clock& clock) {
  const CheckRow& row = check_named(name);
  const auto request = make_request(attributes);
  const CheckSettings settings = settings_of(row.spec, config);
  const CheckContext context{*request, config, settings, Direction::incoming, resolver, zones, clock};
  const Task<Observation> task = row.run(context);
  return describe(row.spec, resolver.run(task));
}

std::string observe(std::string_view name, std::string_view attributes, const Config& config,
                    test::FakeResolver& resolver) {
  const test::FakeClock clock;
  Zones zones(resolver, clock);
  zones.reconfigure(config);
  return observe(name, attributes, config, resolver, zones);
}

std::string observe(std::string_view name, std::string_view attributes, const Config& config) {
  test::FakeResolver resolver;
  std::string said = observe(name, attributes, config, resolver);
  if (!resolver.asked().empty()) throw std::logic_error("the check asked the DNS");
  return said;
}

}  // namespace policyd
