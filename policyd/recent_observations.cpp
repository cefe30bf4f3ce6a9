#include "policyd/recent_observations.h"

#include <string_view>
#include <utility>

#include "shared/text.h"

namespace policyd {

namespace {

// From the last '@' on; an address without a domain is another than the null sender.
std::string_view domain_part(std::string_view address) {
  const size_t at = address.rfind('@');
  return at == std::string_view::npos ? address : address.substr(at);
}

std::string_view text_of(const Request& request, CheckInput input) {
  switch (input) {
    case CheckInput::client_address: return request.client_address();
    case CheckInput::client_name: return request.get(Attribute::client_name);
    case CheckInput::reverse_client_name: return request.get(Attribute::reverse_client_name);
    case CheckInput::helo_name: return request.helo_name();
    case CheckInput::server_address: return request.get(Attribute::server_address);
    case CheckInput::recipient_domain: return domain_part(request.recipient());
    case CheckInput::sender_domain: break;
  }
  return domain_part(request.sender());
}

// A step of a hash (the finalizer of SplitMix64): every bit of `value` reaches every bit of the result.
uint64_t mixed(uint64_t hash, uint64_t value) {
  hash ^= value + 0x9e3779b97f4a7c15;
  hash = (hash ^ (hash >> 30)) * 0xbf58476d1ce4e5b9;
  hash = (hash ^ (hash >> 27)) * 0x94d049bb133111eb;
  return hash ^ (hash >> 31);
}

}  // namespace

RecentObservations::Inputs RecentObservations::inputs_of(const Request& request, uint64_t turns) const {
  Inputs inputs;
  inputs.turns = turns;
  for (size_t i = 0; i < kCheckInputs; ++i) {
    inputs.hashes[i] = stable_hash(text_of(request, static_cast<CheckInput>(i)), seed_);
  }
  return inputs;
}

RecentObservations::Key RecentObservations::key_of(size_t check, Direction direction, const Inputs& inputs) const {
  Key key = mixed(seed_, check * 2 + static_cast<size_t>(direction));
  const CheckRow& row = check_table()[check];
  if (row.spec.zones != ZoneKind::none) key = mixed(key, inputs.turns);
  for (const CheckInput input : row.inputs) key = mixed(key, inputs.hashes[static_cast<size_t>(input)]);
  return key;
}

ObservationPtr RecentObservations::find(Key key, SteadyTime now) const {
  const Remembered* const found = observations_.find(key);
  return found && now < found->until ? found->observation : nullptr;
}

void RecentObservations::remember(Key key, ObservationPtr observation, SteadyTime now) {
  Remembered* const known = observations_.find(key);
  (known ? *known : observations_.insert(key)) = {std::move(observation), now + kHolds};
}

}  // namespace policyd
