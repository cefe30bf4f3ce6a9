// Where Postfix asks at the end of a message (DATA or END-OF-MESSAGE), and whether its messages have queue ids then:
// learned from what it asks, for each of its services on its own.
//
// A service is a line of master.cf, and may have restriction lists of its own. It is known by the address and port that
// the client has connected to; all are one where Postfix does not tell (before 3.2). Clients that have logged in are
// taken for another one, as a list may let mynetworks pass before it comes to policyd. Exceptions that lists make for
// single clients do not show: so it is also known for which accounts Postfix has asked.
//
// Bounded: the oldest are forgotten, and are then unknown, as all are at first. Pure. One thread.
#pragma once

#include <cstdint>
#include <string_view>

#include "policyd/recent_table.h"
#include "shared/request.h"

namespace policyd {

class MessageEnds {
 public:
  // Of the service that a request comes from.
  using Service = uint64_t;
  [[nodiscard]] Service service_of(const Request& request) const;

  // DATA or END-OF-MESSAGE of a message of `account`.
  void learn(const Request& request, std::string_view account);

  struct Known {
    bool queue_ids = true;  // all messages have had one
  };
  // Null where Postfix is not known to ask at the end of the service's messages. Good until the next learn().
  [[nodiscard]] const Known* of(Service service) const { return services_.find(service); }
  // Whether it has asked there for this account.
  [[nodiscard]] bool seen(Service service, std::string_view account) const;

 private:
  struct Seen {};

  const uint64_t seed_ = random_seed();
  RecentTable<Known, 16> services_;
  RecentTable<Seen, 1024> accounts_;
};

}  // namespace policyd
