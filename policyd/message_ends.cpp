#include "policyd/message_ends.h"

#include "shared/text.h"

namespace policyd {

MessageEnds::Service MessageEnds::service_of(const Request& request) const {
  uint64_t hash = seed_;
  for (const Attribute attribute : {Attribute::server_address, Attribute::server_port}) {
    hash = stable_hash(request.get(attribute), hash);
  }
  return stable_hash(request.sasl_username().empty() ? "" : "logged in", hash);
}

void MessageEnds::learn(const Request& request) {
  const Service service = service_of(request);
  Known* const found = services_.find(service);
  Known& known = found ? *found : services_.insert(service);
  known.queue_ids = known.queue_ids && !request.get(Attribute::queue_id).empty();
}

}  // namespace policyd
