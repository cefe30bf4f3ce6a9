#include "policyd/recent_decisions.h"

#include "shared/text.h"

namespace policyd {

namespace {

RecentDecisions::Key hash_of(const Request& request, std::initializer_list<Attribute> attributes) {
  RecentDecisions::Key key{0, 1};
  for (const Attribute attribute : attributes) {
    key.a = stable_hash(request.get(attribute), key.a);
    key.b = stable_hash(request.get(attribute), key.b);
  }
  return key;
}

}  // namespace

std::optional<RecentDecisions::Key> RecentDecisions::key_of(const Request& request) {
  if (request.instance().empty()) return std::nullopt;
  const bool outgoing = request.get(Attribute::policy_context) == "outgoing";
  const bool incoming = request.get(Attribute::policy_context) == "incoming";
  Key key = hash_of(request, {Attribute::instance, Attribute::client_address, Attribute::client_name,
                              Attribute::reverse_client_name, Attribute::helo_name, Attribute::sender,
                              Attribute::recipient, Attribute::sasl_username});
  key.b += outgoing ? 1 : incoming ? 2 : 0;
  return key;
}

std::optional<RecentDecisions::Key> RecentDecisions::message_key_of(const Request& request) {
  if (request.instance().empty()) return std::nullopt;
  return hash_of(request, {Attribute::instance, Attribute::client_address, Attribute::sender});
}

const RecentDecisions::Decision* RecentDecisions::find(const Key& key) const {
  const auto found = decisions_.find(key);
  return found == decisions_.end() ? nullptr : &found->second;
}

void RecentDecisions::remember(const Key& key, Decision decision) {
  if (!decisions_.emplace(key, std::move(decision)).second) return;
  order_.push_back(key);
  if (order_.size() <= kEntries) return;
  decisions_.erase(order_.front());
  order_.pop_front();
}

bool RecentDecisions::first_time(const Key& message) {
  if (find(message)) return false;
  remember(message, {});
  return true;
}

void RecentDecisions::clear() {
  decisions_.clear();
  order_.clear();
}

}  // namespace policyd
