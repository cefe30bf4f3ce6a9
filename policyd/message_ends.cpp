#include "policyd/message_ends.h"

#include "shared/text.h"

namespace policyd {

namespace {

uint64_t key_of(MessageEnds::Service service, std::string_view account) { return stable_hash(account, service); }

}  // namespace

MessageEnds::Service MessageEnds::service_of(const Request& request) const {
  uint64_t hash = seed_;
  for (const Attribute attribute : {Attribute::server_address, Attribute::server_port}) {
    hash = stable_hash(request.get(attribute), hash);
  }
  return stable_hash(request.sasl_username().empty() ? "" : "logged in", hash);
}

void MessageEnds::learn(const Request& request, std::string_view account) {
  const Service service = service_of(request);
  Known* const found = services_.find(service);
  Known& known = found ? *found : services_.insert(service);
  known.queue_ids = known.queue_ids && !request.get(Attribute::queue_id).empty();
  const uint64_t key = key_of(service, account);
  if (!accounts_.find(key)) accounts_.insert(key);
}

bool MessageEnds::seen(Service service, std::string_view account) const {
  return accounts_.find(key_of(service, account)) != nullptr;
}

}  // namespace policyd
