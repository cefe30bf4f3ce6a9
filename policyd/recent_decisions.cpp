#include "policyd/recent_decisions.h"

#include <initializer_list>

#include "shared/text.h"

namespace policyd {

namespace {

// Each hash is the seed of the next, so what moves from one attribute to its neighbour changes it.
uint64_t hash_of(const Request& request, uint64_t seed, std::initializer_list<Attribute> attributes) {
  uint64_t hash = seed;
  for (const Attribute attribute : attributes) hash = stable_hash(request.get(attribute), hash);
  return hash;
}

}  // namespace

std::optional<RecentDecisions::Key> RecentDecisions::key_of(const Request& request) const {
  if (request.instance().empty()) return std::nullopt;
  const std::string_view context = request.get(Attribute::policy_context);
  const Key key = hash_of(request, seed_,
                          {Attribute::instance, Attribute::client_address, Attribute::client_name,
                           Attribute::reverse_client_name, Attribute::helo_name, Attribute::sender,
                           Attribute::recipient, Attribute::sasl_username});
  return key + (context == "outgoing" ? 1 : context == "incoming" ? 2 : 0);
}

std::optional<RecentDecisions::Key> RecentDecisions::message_key_of(const Request& request) const {
  if (request.instance().empty()) return std::nullopt;
  return hash_of(request, seed_, {Attribute::instance, Attribute::client_address, Attribute::sender});
}

void RecentDecisions::remember(Key key, Action action, std::string_view text, int score) {
  if (decisions_.find(key)) return;
  Decision& decision = decisions_.insert(key);
  decision.action = action;
  decision.score = score;
  if (!text.empty()) decision.held = std::make_unique<const std::string>(text);
}

}  // namespace policyd
