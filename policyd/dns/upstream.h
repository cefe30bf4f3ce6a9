// Where answers come from that are not in the cache: the DNS servers, or a test.
#pragma once

#include <functional>

#include "policyd/dns/message.h"
#include "policyd/dns/names.h"

namespace policyd {

class DnsUpstream {
 public:
  using Done = std::function<void(DnsReply)>;
  virtual ~DnsUpstream() = default;
  // Asks the servers. `done` is called once, within the time-out, from the loop: never from within ask(), and not once
  // the upstream is gone.
  virtual void ask(const DnsName& name, DnsType type, Done done) = 0;
};

}  // namespace policyd
